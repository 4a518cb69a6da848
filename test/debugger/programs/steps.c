/* What a step has to come back from: faults whose handlers move RIP, code without a name, lines that go round and round. */
typedef unsigned long u64;

struct frame {
    u64 rip, cs, rflags, rsp, ss;
};
struct gate {
    unsigned short low, selector;
    unsigned char stack, type;
    unsigned short middle;
    unsigned high, zero;
};

static struct gate gates[32] __attribute__((aligned(16)));
volatile int seen;
volatile u64 rounds;

__attribute__((interrupt)) static void invalid_opcode(struct frame *frame)
{
    frame->rip += 2;
    seen++; /* IN INVALID OPCODE */
}
__attribute__((interrupt)) static void page_fault(struct frame *frame, u64 code)
{
    extern char fixup[];
    frame->rip = (u64)fixup;
    seen = (int)code;
}
static void set_gate(int vector, void *handler)
{
    u64 address = (u64)handler;
    gates[vector] = (struct gate){ address, 8, 0, 0x8E, address >> 16, address >> 32, 0 };
}

__attribute__((noinline)) static int repaired(void)
{
    int before = 1; /* REPAIRED */
    __asm__ volatile("ud2"); /* UD2 */
    before++; /* BEHIND UD2 */
    __asm__ volatile("movq %%rax, (%0)\n\t" /* STORE */
                     "nop\n\t"
                     "jmp 2f\n"
                     "fixup: nop\n"
                     "2:" ::"r"(1UL << 40));
    before++; /* BEHIND STORE */
    return before;
}

/* A jump into code that has neither lines nor a symbol, and back. */
__attribute__((noinline)) static int through_nameless(void)
{
    int answer = 5; /* NAMELESS */
    __asm__ volatile goto("jmp 1f\n\t"
                          ".pushsection .nameless, \"ax\"\n"
                          "1: nop\n\t"
                          "jmp %l0\n\t"
                          ".popsection" ::::back); /* JUMP */
back:
    answer++; /* BACK */
    return answer;
}

__attribute__((noinline)) static u64 busy(void)
{
    rounds = 0; /* BUSY */
    while (rounds < 300000) rounds++; /* ROUND */
    return rounds; /* BEHIND ROUND */
}

__attribute__((noinline)) static int recursive(int depth)
{
    if (depth == 0) /* RECURSIVE */
        return 0;
    int below = recursive(depth - 1); /* CALL ITSELF */
    return below + depth; /* BEHIND ITSELF */
}

/* CALL to the next instruction, by which position-independent code learns where it is: nothing returns from it. */
__attribute__((noinline)) static int where_am_i(void)
{
    int answer = 1;
    __asm__ volatile("call 1f\n1: pop %%rax" ::: "rax"); /* CALL NEXT */
    answer++; /* BEHIND CALL NEXT */
    return answer;
}

/* A call whose target lies within the longest instruction's length behind it. */
extern int near_target(void);
__asm__(".pushsection .text\n"
        ".type near_caller, @function\n"
        "near_caller: call near_target\n\t"
        "ret\n"
        ".size near_caller, . - near_caller\n"
        ".type near_target, @function\n"
        ".globl near_target\n"
        "near_target: mov $7, %eax\n\t"
        "ret\n"
        ".size near_target, . - near_target\n"
        ".popsection");
extern int near_caller(void);

void kernel_main(void)
{
    struct {
        unsigned short limit;
        u64 base;
    } __attribute__((packed)) table = { sizeof gates - 1, (u64)gates };
    set_gate(6, invalid_opcode);
    set_gate(14, page_fault);
    __asm__ volatile("lidt %0" ::"m"(table));
    seen = repaired();
    seen = through_nameless();
    seen = (int)busy();
    seen = recursive(3);
    seen = near_caller();
    seen = where_am_i();
}
