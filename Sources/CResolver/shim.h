#pragma once
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdint.h>
#include <string.h>

// The resolver's state is a struct that Swift cannot read whole, and its functions are macros.

struct CResolver_service {
  uint16_t priority, weight, port;
  char target[NS_MAXDNAME];
};

// The SRV records (RFC 2782) of an answer, at most `capacity`; -1 where it cannot be read.
static inline int CResolver_services_of(
    const unsigned char *answer, int length, struct CResolver_service *services, int capacity) {
  ns_msg message;
  if (ns_initparse(answer, length, &message) != 0) return -1;
  int count = 0;
  for (int index = 0; index < ns_msg_count(message, ns_s_an) && count < capacity; index++) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, index, &record) != 0) return -1;
    if (ns_rr_type(record) != ns_t_srv || ns_rr_class(record) != ns_c_in) continue;
    const unsigned char *data = ns_rr_rdata(record);
    if (ns_rr_rdlen(record) < 7) return -1;
    struct CResolver_service *service = &services[count];
    service->priority = ns_get16(data);
    service->weight = ns_get16(data + 2);
    service->port = ns_get16(data + 4);
    if (dn_expand(ns_msg_base(message), ns_msg_end(message), data + 6, service->target, sizeof service->target) < 0)
      return -1;
    count++;
  }
  return count;
}

// Asks for them; blocks. A negative number is what `h_errno` says, negated: HOST_NOT_FOUND and NO_DATA for none.
static inline int CResolver_services(const char *name, struct CResolver_service *services, int capacity) {
  struct __res_state state;
  memset(&state, 0, sizeof state);
  if (res_ninit(&state) != 0) return -NO_RECOVERY;
  unsigned char answer[NS_MAXMSG];
  int length = res_nsearch(&state, name, ns_c_in, ns_t_srv, answer, sizeof answer);
  int failure = state.res_h_errno;
  res_nclose(&state);
  if (length < 0) return failure > 0 ? -failure : -TRY_AGAIN;
  int count = CResolver_services_of(answer, length < (int)sizeof answer ? length : (int)sizeof answer, services, capacity);
  return count < 0 ? -NO_RECOVERY : count;
}
