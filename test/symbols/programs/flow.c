/* Inlining, nested blocks, tail calls, structures by value, cold parts: for comparing scopes, locations and unwinding.
   Freestanding; never run. */

struct pair {
  long first, second;
};
struct small {
  int a;
  short b;
  char c;
};
struct large {
  long values[6];
};
#ifdef __SIZEOF_INT128__
typedef __int128 wide_t;
#else
typedef long long wide_t;
#endif

struct list {
  struct list *next;
  long value;
};

extern volatile long sink;
volatile long sink;
static struct list nodes[4];
static int total;

#define NOINLINE __attribute__((noinline))

NOINLINE long opaque(long a, long b, long c) {
  sink = a;
  sink = b;
  return sink + c;
}

static inline __attribute__((always_inline)) long square(long x) {
  long result = x * x;
  sink = result;
  return result;
}

static inline __attribute__((always_inline)) long cube(long y) {
  long inner = square(y);
  {
    long block = inner * y;
    if (block > 10) {
      long deep = block - 10;
      sink = deep;
    }
    inner = block;
  }
  return inner;
}

NOINLINE struct pair make_pair(long a, long b) {
  struct pair p = {a + 1, b * 2};
  sink = p.first;
  return p;
}

NOINLINE long use_small(struct small s, struct pair p, struct large l) {
  long sum = s.a + s.b + s.c;
  sum += p.first - p.second;
  for (int i = 0; i < 6; i++) sum += l.values[i];
  return sum;
}

NOINLINE long loops(int count, const long *data) {
  long sum = 0;
  for (int i = 0; i < count; i++) {
    long item = data[i];
    if (item < 0) {
      long negative = -item;
      sum -= opaque(negative, i, sum);
    } else {
      long positive = cube(item);
      sum += positive;
    }
  }
  return sum;
}

__attribute__((noreturn, cold)) void fail(int code) {
  for (;;) sink = code;
}

NOINLINE int checked(int value, int limit) {
  if (value > limit) {
    int excess = value - limit;
    sink = excess;
    fail(excess);
  }
  total += value;
  return total;
}

NOINLINE long tail(long a, long b) {
  sink = a;
  return opaque(b, a, 7);
}

NOINLINE long recursive(struct list *l, int depth) {
  if (!l || depth > 4) return depth;
  long below = recursive(l->next, depth + 1);
  sink = below;
  return below + l->value;
}

NOINLINE long many_arguments(int a, long b, short c, char d, unsigned e, long f, int g, long h, char i) {
  long sum = a + b + c;
  sum += opaque(d, e, f);
  sum += g + h + i;
  return opaque(sum, a, i);
}

static long partial(long a, struct list *unused, int b) {
  long x = a * 3;
  sink = x;
  return x + b;
}

static NOINLINE long clone_me(int mode, long v) {
  if (mode == 3) return opaque(v, mode, v);
  return opaque(mode, v, v) + v;
}

NOINLINE double floating(double d, float f, int n) {
  double product = d * f;
  for (int i = 0; i < n; i++) product += d;
  sink = (long)product;
  return product;
}

NOINLINE int variable_length(int n) {
  volatile char buffer[n];
  for (int i = 0; i < n; i++) buffer[i] = (char)i;
  return buffer[n - 1];
}

NOINLINE unsigned narrow(unsigned char c, unsigned short s, _Bool flag, wide_t wide) {
  unsigned result = flag ? c : s;
  unsigned high = (unsigned)(wide >> (sizeof wide * 4));
  sink = result;
  return result ^ high;
}

NOINLINE long pairs(long seed) {
  struct pair p = make_pair(seed, 3);
  struct pair q = {p.second, seed};
  struct small s = {(int)seed, 2, 'x'};
  struct large l = {{seed, 1, 2, 3, 4, 5}};
  sink = q.first;
  return use_small(s, q, l) + p.first;
}

long dispatch(int kind, long (*callback)(long, long, long), long argument) {
  switch (kind) {
    case 0:
      return callback(argument, 1, 2);
    case 1: {
      long local = square(argument);
      return callback(local, argument, 3) + local;
    }
    case 2:
      return partial(argument, nodes, kind);
    case 3:
      return clone_me(3, argument);
    case 4:
      return clone_me(kind, argument) + tail(argument, kind);
    default:
      return many_arguments(kind, argument, 3, 4, 5, 6, 7, 8, 9);
  }
}

void _start(void) {
  long data[4] = {1, 2, -3, 4};
  nodes[0].next = &nodes[1];
  nodes[1].value = 5;
  long sum = loops(4, data);
  sum += recursive(nodes, 0);
  sum += dispatch((int)sum & 7, opaque, sum);
  sum += pairs(sum);
  sum += checked((int)sum, 100);
  sum += (long)floating((double)sum, 1.5f, 3);
  sum += variable_length(5);
  sum += narrow(1, 2, 1, sum);
  sink = sum;
  for (;;)
    ;
}
