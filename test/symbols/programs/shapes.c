/* Every kind of C type, for comparing what the symbol reader and gdb say of it. Freestanding; never run. */

typedef unsigned long word_t;
typedef struct node node_t;
typedef int (*visitor_t)(node_t *, void *);
typedef int matrix_t[3][4];

enum color { RED, GREEN = 5, BLUE, LAST = -1 };
enum big { SMALL = 1, HUGE_VALUE = 0x7fffffff };
enum { ANONYMOUS_ONE = 11, ANONYMOUS_TWO };

struct node {
  struct node *next, **previous;
  const char *name;
  volatile int count;
  enum color color;
  visitor_t visitor;
  void (*table[3])(int, ...);
};

struct bits {
  unsigned a : 1, b : 3;
  int c : 5;
  unsigned : 0;
  unsigned long long wide : 40;
  _Bool flag : 1;
  unsigned char tail;
  signed char d : 4, e : 4;
};

struct __attribute__((packed)) packed_bits {
  char first;
  int value;
  unsigned x : 7;
  unsigned y : 17;
  long z : 33;
};

union number {
  int i;
  unsigned u;
  float f;
  double d;
  unsigned char raw[16];
  long double extended;
};

struct outer {
  int kind;
  union {
    struct {
      short low, high;
    };
    int both;
    struct inner {
      char text[7];
      matrix_t matrix;
    } named;
  };
  struct {
    int x, y;
  } points[2];
#ifdef __SIZEOF_INT128__
  __int128 large;
#endif
  const volatile word_t *const pointer;
  int (*array_pointer)[5];
  char flexible[];
};

struct empty {};
struct never_defined;
struct __attribute__((aligned(64))) aligned {
  char c;
};

int plain = 1;
static unsigned char local_bytes[5] = {1, 2, 3, 4, 5};
const char *const message = "hello";
struct node first_node;
struct bits some_bits;
struct packed_bits some_packed_bits;
union number some_number;
struct outer *some_outer;
struct empty nothing;
struct never_defined *unknown;
struct aligned some_aligned;
enum color favourite = BLUE;
enum big enormous;
matrix_t matrix;
visitor_t visitors[4];
node_t *(*maker)(const node_t *restrict, int[static 2], ...);
_Bool truth;
float single = 1.5f;
double twice = 2.5;
long double extended;
_Complex double complicated;
signed char small;
unsigned short medium;
long long longest;
unsigned long long unsigned_longest;
char zero_length[0];
int vector __attribute__((vector_size(16)));
_Atomic int atomic_counter;
extern char from_assembly[];

static int helper(const struct node *n, int depth) {
  static int calls;
  calls++;
  return n ? n->count + depth + calls : depth;
}

int use_everything(int count) {
  enum { LOCAL_ENUM = 77 } e = LOCAL_ENUM;
  struct local_type {
    int a;
    struct local_type *self;
  } l = {count, &l};
  return helper(&first_node, count) + local_bytes[count & 3] + e + l.self->a + from_assembly[0];
}

void _start(void) {
  plain = use_everything(3);
  for (;;)
    ;
}
