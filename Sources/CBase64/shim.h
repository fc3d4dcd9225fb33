// Base64 (RFC 4648 §4) of whole groups, 32 or 64 characters at a time, where the processor has the instructions for it.
// Vector comparisons and byte shuffles of Swift become loops over single bytes; those of C become one instruction each.
// The arithmetic is that of Muła and Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions" (2018).
// scripts/base64-kernels tests this header by itself, for both kinds of processor.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Tables that both decoders look up bytes in.
// A character is in the alphabet where the bits that its two halves look up have none in common.
#define CBASE64_LOW 0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1A, 0x1B, 0x1B, 0x1B, 0x1A
#define CBASE64_HIGH 0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10
// What to add to a character to get its value, by its upper half; one below for '/'.
#define CBASE64_OFFSETS 0, 63 - '/', 62 - '+', 52 - '0', 0 - 'A', 0 - 'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0

#ifdef __x86_64__
#include <immintrin.h>

#define CBASE64_AVX2 static inline __attribute__((target("avx2")))

// The same 16 bytes in both halves of a register: shuffles do not cross them.
CBASE64_AVX2 __m256i CBase64_twice(
    int8_t a, int8_t b, int8_t c, int8_t d, int8_t e, int8_t f, int8_t g, int8_t h, int8_t i, int8_t j, int8_t k, int8_t l,
    int8_t m, int8_t n, int8_t o, int8_t p) {
  return _mm256_setr_epi8(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
}

CBASE64_AVX2 size_t CBase64_encodeAVX2(const uint8_t *bytes, size_t count, uint8_t *text) {
  const __m256i order = CBase64_twice(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  // What to add to a value to get its character: by the ranges A–Z, a–z, each digit, + and /.
  const __m256i offsets = CBase64_twice('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                                        '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  size_t read = 0;
  // 12 bytes go into each half, which loads 16.
  for (; read + 28 <= count; read += 24, text += 32) {
    __m256i in = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(bytes + read))),
        _mm_loadu_si128((const __m128i *)(bytes + read + 12)), 1);
    in = _mm256_shuffle_epi8(in, order);
    // Four values of six bits in each 32, moved to the low end of their bytes by multiplications.
    const __m256i odd = _mm256_mulhi_epu16(_mm256_and_si256(in, _mm256_set1_epi32(0x0FC0FC00)), _mm256_set1_epi32(0x04000040));
    const __m256i even = _mm256_mullo_epi16(_mm256_and_si256(in, _mm256_set1_epi32(0x003F03F0)), _mm256_set1_epi32(0x01000010));
    const __m256i values = _mm256_or_si256(odd, even);
    // 0 for a–z, 1 to 12 from 52 on, and 13 below 26.
    __m256i range = _mm256_subs_epu8(values, _mm256_set1_epi8(51));
    const __m256i isCapital = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
    range = _mm256_or_si256(range, _mm256_and_si256(isCapital, _mm256_set1_epi8(13)));
    _mm256_storeu_si256((__m256i *)text, _mm256_add_epi8(values, _mm256_shuffle_epi8(offsets, range)));
  }
  return read;
}

CBASE64_AVX2 size_t CBase64_decodeAVX2(const uint8_t *text, size_t count, uint8_t *bytes) {
  const __m256i low = CBase64_twice(CBASE64_LOW);
  const __m256i high = CBase64_twice(CBASE64_HIGH);
  const __m256i offsets = CBase64_twice(CBASE64_OFFSETS);
  const __m256i order = CBase64_twice(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  const __m256i slash = _mm256_set1_epi8('/');
  size_t read = 0;
  // 32 bytes are stored of which 24 count: 44 characters have room for them.
  for (; read + 44 <= count; read += 32, bytes += 24) {
    const __m256i in = _mm256_loadu_si256((const __m256i *)(text + read));
    // '/' has all four lower bits set, and bit 5, which the shuffles ignore.
    const __m256i upper = _mm256_and_si256(_mm256_srli_epi32(in, 4), slash);
    const __m256i lower = _mm256_and_si256(in, slash);
    if (!_mm256_testz_si256(_mm256_shuffle_epi8(low, lower), _mm256_shuffle_epi8(high, upper))) break;
    const __m256i offset = _mm256_shuffle_epi8(offsets, _mm256_add_epi8(_mm256_cmpeq_epi8(in, slash), upper));
    const __m256i values = _mm256_add_epi8(in, offset);
    const __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
    const __m256i quads = _mm256_shuffle_epi8(_mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000)), order);
    _mm256_storeu_si256((__m256i *)bytes, _mm256_permutevar8x32_epi32(quads, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7)));
  }
  return read;
}
#endif

#ifdef __aarch64__
#include <arm_neon.h>

static inline size_t CBase64_encodeNEON(const uint8_t *bytes, size_t count, uint8_t *text) {
  static const uint8_t characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const uint8x16x4_t alphabet = {
      {vld1q_u8(characters), vld1q_u8(characters + 16), vld1q_u8(characters + 32), vld1q_u8(characters + 48)}};
  const uint8x16_t six = vdupq_n_u8(0x3F);
  size_t read = 0;
  for (; read + 48 <= count; read += 48, text += 64) {
    // The first, second and third bytes of 16 groups, each in a register of its own; four characters go back likewise.
    const uint8x16x3_t in = vld3q_u8(bytes + read);
    const uint8x16_t second = vorrq_u8(vshlq_n_u8(in.val[0], 4), vshrq_n_u8(in.val[1], 4));
    const uint8x16_t third = vorrq_u8(vshlq_n_u8(in.val[1], 2), vshrq_n_u8(in.val[2], 6));
    uint8x16x4_t out;
    out.val[0] = vqtbl4q_u8(alphabet, vshrq_n_u8(in.val[0], 2));
    out.val[1] = vqtbl4q_u8(alphabet, vandq_u8(second, six));
    out.val[2] = vqtbl4q_u8(alphabet, vandq_u8(third, six));
    out.val[3] = vqtbl4q_u8(alphabet, vandq_u8(in.val[2], six));
    vst4q_u8(text, out);
  }
  return read;
}

static inline size_t CBase64_decodeNEON(const uint8_t *text, size_t count, uint8_t *bytes) {
  static const uint8_t lows[] = {CBASE64_LOW}, highs[] = {CBASE64_HIGH};
  static const int8_t distances[] = {CBASE64_OFFSETS};
  const uint8x16_t low = vld1q_u8(lows), high = vld1q_u8(highs);
  const uint8x16_t offsets = vreinterpretq_u8_s8(vld1q_s8(distances));
  const uint8x16_t four = vdupq_n_u8(0x0F), slash = vdupq_n_u8('/');
  size_t read = 0;
  for (; read + 64 <= count; read += 64, bytes += 48) {
    // The first characters of 16 groups in one register, the second in the next, and so on.
    const uint8x16x4_t in = vld4q_u8(text + read);
    uint8x16_t values[4], strange = vdupq_n_u8(0);
    for (int place = 0; place < 4; place++) {
      const uint8x16_t character = in.val[place];
      const uint8x16_t upper = vshrq_n_u8(character, 4);
      const uint8x16_t common = vandq_u8(vqtbl1q_u8(low, vandq_u8(character, four)), vqtbl1q_u8(high, upper));
      strange = vorrq_u8(strange, common);
      const uint8x16_t range = vaddq_u8(vceqq_u8(character, slash), upper);
      values[place] = vaddq_u8(character, vqtbl1q_u8(offsets, range));
    }
    if (vmaxvq_u8(strange)) break;
    uint8x16x3_t out;
    out.val[0] = vorrq_u8(vshlq_n_u8(values[0], 2), vshrq_n_u8(values[1], 4));
    out.val[1] = vorrq_u8(vshlq_n_u8(values[1], 4), vshrq_n_u8(values[2], 2));
    out.val[2] = vorrq_u8(vshlq_n_u8(values[2], 6), values[3]);
    vst3q_u8(bytes, out);
  }
  return read;
}
#endif

// Encodes from the beginning of `bytes`, and returns how many of them: a multiple of 24 (of 48 with NEON), zero where the
// processor lacks the instructions. `text` gets four characters for every three bytes, and has room for all of `count`.
static inline size_t CBase64_encode(const uint8_t *bytes, size_t count, uint8_t *text) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) return CBase64_encodeAVX2(bytes, count, text);
#elif defined(__aarch64__)
  // Each of these processors has it.
  return CBase64_encodeNEON(bytes, count, text);
#endif
  return 0;
}

// Decodes from the beginning of `text` up to the first 32 characters (64 with NEON) that hold anything but the alphabet, and
// returns how many were decoded: a multiple of 32. `bytes` gets three for every four characters, and has room for all of
// `count`.
static inline size_t CBase64_decode(const uint8_t *text, size_t count, uint8_t *bytes) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) return CBase64_decodeAVX2(text, count, bytes);
#elif defined(__aarch64__)
  return CBase64_decodeNEON(text, count, bytes);
#endif
  return 0;
}
