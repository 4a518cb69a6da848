/* What compilers make of ordinary programs: hashing, sorting, a hash table and a bytecode interpreter, with gcc -O2. Freestanding,
   so the same file is a guest, a 32-bit guest and a native function. */
#include <stdint.h>
#ifndef ITERATIONS
#error ITERATIONS
#endif

static uint32_t state = 12345;
static uint32_t next_random(void) { return state = state * 1664525u + 1013904223u; }

/* ---- SHA-256's compression function (FIPS 180-4) over a message that changes ---- */
static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
static uint32_t rotate(uint32_t x, int n) { return (x >> n) | (x << (32 - n)); }
static void compress(uint32_t hash[8], const uint32_t block[16]) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++) w[i] = block[i];
  for (int i = 16; i < 64; i++) {
    uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
    uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + a + w[i - 7] + b;
  }
  for (int i = 0; i < 8; i++) v[i] = hash[i];
  for (int i = 0; i < 64; i++) {
    uint32_t big1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25), choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    uint32_t t1 = v[7] + big1 + choice + round_constants[i] + w[i];
    uint32_t big0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22), majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    for (int k = 7; k > 0; k--) v[k] = v[k - 1];
    v[4] += t1;
    v[0] = t1 + big0 + majority;
  }
  for (int i = 0; i < 8; i++) hash[i] += v[i];
}

/* ---- quicksort ---- */
static uint32_t numbers[4096];
static void sort(uint32_t *first, uint32_t *last) {
  while (last - first > 1) {
    uint32_t pivot = first[(last - first) / 2], *low = first, *high = last - 1;
    while (low <= high) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low <= high) {
        uint32_t t = *low;
        *low++ = *high;
        *high-- = t;
      }
    }
    sort(first, high + 1);
    first = low;
  }
}

/* ---- a hash table with open addressing ---- */
static struct { uint32_t key, value; } table[8192];
static uint32_t count_words(void) {
  uint32_t most = 0;
  for (int i = 0; i < 8192; i++) table[i].key = table[i].value = 0;
  for (int i = 0; i < 16384; i++) {
    uint32_t key = (next_random() >> 20) | 1, at = key * 2654435761u >> 19;
    while (table[at].key && table[at].key != key) at = (at + 1) & 8191;
    table[at].key = key;
    if (++table[at].value > most) most = table[at].value;
  }
  return most;
}

/* ---- a bytecode interpreter: calls through a table, as in many virtual machines ---- */
enum { PUSH, ADD, MULTIPLY, LESS, BRANCH, LOAD, STORE, END };
struct machine { const uint8_t *at; int32_t stack[16], *top, variables[4]; };
static void op_push(struct machine *m) { *m->top++ = *m->at++; }
static void op_add(struct machine *m) { m->top--; m->top[-1] += m->top[0]; }
static void op_multiply(struct machine *m) { m->top--; m->top[-1] *= m->top[0]; }
static void op_less(struct machine *m) { m->top--; m->top[-1] = m->top[-1] < m->top[0]; }
static void op_load(struct machine *m) { *m->top++ = m->variables[*m->at++]; }
static void op_store(struct machine *m) { m->variables[*m->at++] = *--m->top; }
static void op_branch(struct machine *m) {
  int8_t distance = (int8_t)*m->at++;
  if (*--m->top) m->at += distance;
}
static void (*const operations[])(struct machine *) = {op_push, op_add, op_multiply, op_less, op_branch, op_load, op_store};
static int32_t interpret(void) {
  /* for (i = 0, sum = 0; i < 200; i++) sum += i * i; */
  static const uint8_t code[] = {PUSH, 0, STORE, 0, PUSH, 0, STORE, 1,
                                 LOAD, 1, LOAD, 0, LOAD, 0, MULTIPLY, ADD, STORE, 1,
                                 LOAD, 0, PUSH, 1, ADD, STORE, 0, LOAD, 0, PUSH, 200, LESS, BRANCH, (uint8_t)-24, END};
  struct machine m = {.at = code};
  m.top = m.stack;
  while (*m.at != END) {
    uint8_t operation = *m.at++;
    operations[operation](&m);
  }
  return m.variables[1];
}

uint32_t program(void) {
  uint32_t hash[8] = {1, 2, 3, 4, 5, 6, 7, 8}, block[16], sum = 0;
  for (int round = 0; round < ITERATIONS; round++) {
    for (int i = 0; i < 64; i++) {
      for (int k = 0; k < 16; k++) block[k] = next_random();
      compress(hash, block);
    }
    for (int i = 0; i < 4096; i++) numbers[i] = next_random();
    sort(numbers, numbers + 4096);
    sum += numbers[100] + count_words();
    for (int i = 0; i < 8; i++) sum += (uint32_t)interpret();
  }
  return sum + hash[0];
}
