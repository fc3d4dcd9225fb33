#pragma once
#include <malloc.h>

// Not in every C library: the malloc of musl gives memory back by itself.
static inline void CMalloc_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
