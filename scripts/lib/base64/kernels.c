// Tests the vector code of Sources/CBase64/shim.h, for the processor that it is compiled for, against a plain reference.
//
//   kernels
//
// Every buffer ends where memory ends, or begins where it begins: a byte read or written outside is a fault. Prints what it
// tried and exits with 0; at the first thing that is not so it says what, and exits with 1.
#define _GNU_SOURCE
#include "../../../Sources/CBase64/shim.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Bytes of input for which there is room: longer than anything that a peer sends at once.
#define ROOM 98304
// Every length up to this is tried: several blocks of any kernel, and every rest.
#define LENGTHS 400
// Characters of a text that holds a byte of each kind at each place: two blocks of any kernel, and more than a rest.
#define PLACES 176

// What a kernel takes at once, and how much there must be for it.
struct kernel {
  const char *name;
  size_t encodes, encodes_from, decodes, decodes_from;
};

static struct kernel kernel(void) {
#ifdef __aarch64__
  return (struct kernel){"NEON", 48, 48, 64, 64};
#else
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) return (struct kernel){"AVX2", 24, 28, 32, 44};
#endif
  return (struct kernel){"no kernel", 0, 1, 0, 1};
#endif
}

// ---- telling -------------------------------------------------------------------------------------------------------

// What is being tried, for whoever reads of a fault.
static struct {
  const char *what;
  size_t length, place;
  unsigned byte;
} now;

static unsigned long tried;

static void tell(const char *what) {
  fprintf(stderr, "%s: %s, length %zu, place %zu, byte 0x%02X\n", what, now.what, now.length, now.place, now.byte);
}

static void fault(int signal) {
  (void)signal;
  tell("memory outside of a buffer");
  _exit(1);
}

static void expect(int holds, const char *what) {
  if (holds) return;
  tell(what);
  exit(1);
}

// ---- memory --------------------------------------------------------------------------------------------------------

// Pages between two that nobody may touch.
struct memory {
  uint8_t *first, *end;
};

static struct memory memory(void) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t size = (ROOM / 3 * 4 + page - 1) / page * page;
  uint8_t *base = mmap(NULL, size + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED || mprotect(base, page, PROT_NONE) || mprotect(base + page + size, page, PROT_NONE)) {
    perror("kernels");
    exit(2);
  }
  return (struct memory){base + page, base + page + size};
}

static struct memory from, to;

// ---- reference -----------------------------------------------------------------------------------------------------

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value(uint8_t character) {
  if (character >= 'A' && character <= 'Z') return character - 'A';
  if (character >= 'a' && character <= 'z') return character - 'a' + 26;
  if (character >= '0' && character <= '9') return character - '0' + 52;
  return character == '+' ? 62 : character == '/' ? 63 : -1;
}

// The whole groups of three of `bytes`.
static void encode_plainly(const uint8_t *bytes, size_t count, uint8_t *text) {
  for (size_t bit = 0; bit < count / 3 * 24; bit += 6) {
    unsigned sextet = 0;
    for (size_t i = bit; i < bit + 6; i++) sextet = sextet << 1 | (bytes[i / 8] >> (7 - i % 8) & 1);
    *text++ = (uint8_t)alphabet[sextet];
  }
}

// The whole groups of four of `text` that hold nothing but the alphabet; returns where the first other character is.
static size_t decode_plainly(const uint8_t *text, size_t count, uint8_t *bytes) {
  size_t good = 0;
  while (good < count && value(text[good]) >= 0) good++;
  for (size_t bit = 0; bit < good / 4 * 24; bit += 8) {
    unsigned byte = 0;
    for (size_t i = bit; i < bit + 8; i++) byte = byte << 1 | ((unsigned)value(text[i / 6]) >> (5 - i % 6) & 1);
    *bytes++ = (uint8_t)byte;
  }
  return good;
}

// ---- checks --------------------------------------------------------------------------------------------------------

static uint8_t expected[ROOM / 3 * 4];

// The most that is a multiple of `at_once`, of `count` of which `needed` have to be left for each.
static size_t blocks(size_t count, size_t at_once, size_t needed) {
  size_t taken = 0;
  while (at_once && taken + needed <= count) taken += at_once;
  return taken;
}

static void check_encoding(const uint8_t *bytes, size_t count, uint8_t *text) {
  const struct kernel is = kernel();
  const size_t read = CBase64_encode(bytes, count, text);
  expect(read == blocks(count, is.encodes, is.encodes_from), "encodes another number of bytes");
  encode_plainly(bytes, count, expected);
  expect(!memcmp(text, expected, read / 3 * 4), "encodes wrongly");
  tried++;
}

static void check_decoding(const uint8_t *text, size_t count, uint8_t *bytes) {
  const struct kernel is = kernel();
  const size_t good = decode_plainly(text, count, expected);
  const size_t read = CBase64_decode(text, count, bytes);
  const size_t most = blocks(count, is.decodes, is.decodes_from);
  // The block that holds the first stranger is not taken, and each one before is.
  const size_t before = is.decodes ? good / is.decodes * is.decodes : 0;
  expect(read == (before < most ? before : most), "decodes another number of characters");
  expect(!memcmp(bytes, expected, read / 4 * 3), "decodes wrongly");
  tried++;
}

// Both ends of memory: `bytes` of input are put there, and `room` bytes of output are allowed.
static void at_both_ends(
    const uint8_t *input, size_t count, size_t room, void (*check)(const uint8_t *, size_t, uint8_t *)) {
  memcpy(from.end - count, input, count);
  check(from.end - count, count, to.end - room);
  memcpy(from.first, input, count);
  check(from.first, count, to.first);
}

static void encoding(const uint8_t *bytes, size_t count) {
  now.length = count;
  at_both_ends(bytes, count, count / 3 * 4, check_encoding);
}

static void decoding(const uint8_t *text, size_t count) {
  now.length = count;
  at_both_ends(text, count, count / 4 * 3, check_decoding);
}

// ---- inputs --------------------------------------------------------------------------------------------------------

static uint64_t state = 1;

// The same numbers each time (xorshift64*).
static uint32_t dice(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)(state * 0x2545F4914F6CDD1D >> 32);
}

static void fill(uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)dice();
}

static void fill_with_text(uint8_t *text, size_t count) {
  for (size_t i = 0; i < count; i++) text[i] = (uint8_t)alphabet[dice() % 64];
}

static uint8_t input[ROOM / 3 * 4];

static void every_length(void) {
  for (size_t count = 0; count <= LENGTHS; count++) {
    now.what = "bytes of every length";
    fill(input, count);
    encoding(input, count);
    now.what = "text of every length";
    fill_with_text(input, count);
    decoding(input, count);
  }
}

static void every_byte_at_every_place(void) {
  for (now.place = 0; now.place < PLACES; now.place++) {
    for (now.byte = 0; now.byte < 256; now.byte++) {
      now.what = "each byte at each place";
      fill(input, PLACES);
      input[now.place] = (uint8_t)now.byte;
      encoding(input, PLACES);
      now.what = "each character at each place";
      fill_with_text(input, PLACES);
      input[now.place] = (uint8_t)now.byte;
      decoding(input, PLACES);
    }
  }
}

// Input and output, each by any number of bytes from 0 to 63 off a page.
static void every_alignment(void) {
  for (now.place = 0; now.place < 64; now.place++) {
    for (now.byte = 0; now.byte < 64; now.byte++) {
      now.length = LENGTHS;
      now.what = "bytes at every alignment";
      fill(from.first, LENGTHS + 64);
      check_encoding(from.first + now.place, LENGTHS, to.first + now.byte);
      now.what = "text at every alignment";
      fill_with_text(from.first, LENGTHS + 64);
      check_decoding(from.first + now.place, LENGTHS, to.first + now.byte);
    }
  }
}

// Padding belongs to whoever calls: a kernel neither writes nor takes it.
static void padding(void) {
  now.what = "padded text";
  for (size_t count = 4; count <= LENGTHS; count += 4) {
    for (size_t pads = 1; pads <= 2; pads++) {
      fill_with_text(input, count);
      memset(input + count - pads, '=', pads);
      decoding(input, count);
    }
  }
}

static void chance(void) {
  for (int round = 0; round < 200; round++) {
    // Long ones are rare: the reference takes its time, the more so where the processor is emulated.
    const size_t count = dice() % (round % 25 ? 4096 : ROOM + 1);
    now.what = "bytes by chance";
    fill(input, count);
    encoding(input, count);
    now.what = "text by chance, and a few strangers";
    fill_with_text(input, count);
    decoding(input, count);
    for (uint32_t strangers = dice() % 4; count && strangers; strangers--) input[dice() % count] = (uint8_t)dice();
    decoding(input, count);
  }
}

int main(void) {
  from = memory();
  to = memory();
  signal(SIGSEGV, fault);
  signal(SIGBUS, fault);
  every_length();
  every_byte_at_every_place();
  every_alignment();
  padding();
  chance();
  printf("%s: %lu inputs\n", kernel().name, tried);
  return 0;
}
