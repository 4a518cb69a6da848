/* Stacks through code that no call-frame information describes. */
typedef unsigned long u64;

struct gate {
    unsigned short low, selector;
    unsigned char stack, type;
    unsigned short middle;
    unsigned high, zero;
};

static struct gate gates[32] __attribute__((aligned(16)));
volatile int seen;

__attribute__((noinline)) void handler(void)
{
    seen++; /* HANDLER */
}

/* An interrupt's stub as kernels write it: an error code or a zero, a vector, all registers, a call. */
extern void breakpoint_stub(void), invalid_opcode_stub(void);
__asm__(".pushsection .text\n"
        ".type breakpoint_stub, @function\n"
        "breakpoint_stub: pushq $0\n\t"
        "pushq $3\n\t"
        "jmp common_stub\n"
        ".size breakpoint_stub, . - breakpoint_stub\n"
        ".type common_stub, @function\n"
        "common_stub: pushq %rax\n\tpushq %rcx\n\tpushq %rdx\n\tpushq %rsi\n\tpushq %rdi\n\t"
        "pushq %r8\n\tpushq %r9\n\tpushq %r10\n\tpushq %r11\n\tcld\n\t"
        "call handler\n\t"
        "popq %r11\n\tpopq %r10\n\tpopq %r9\n\tpopq %r8\n\t"
        "popq %rdi\n\tpopq %rsi\n\tpopq %rdx\n\tpopq %rcx\n\tpopq %rax\n\t"
        "addq $16, %rsp\n\tiretq\n"
        ".size common_stub, . - common_stub\n"
        ".popsection");

struct frame {
    u64 rip, cs, rflags, rsp, ss;
};
__attribute__((interrupt)) static void invalid_opcode(struct frame *frame)
{
    handler();
    frame->rip += 2;
}

static void set_gate(int vector, void *entry)
{
    u64 address = (u64)entry;
    gates[vector] = (struct gate){ address, 8, 0, 0x8E, address >> 16, address >> 32, 0 };
}

/* Assembly that calls back, with a push of its own and no frame pointer. */
extern void assembly_function(void);
__asm__(".pushsection .text\n"
        ".type assembly_function, @function\n"
        "assembly_function: pushq %rbx\n\t"
        "movq %rdi, %rbx\n\t"
        "call handler\n\t"
        "popq %rbx\n\t"
        "ret\n"
        ".size assembly_function, . - assembly_function\n"
        ".popsection");

__attribute__((noinline)) static void interrupted(void)
{
    seen = 10;
    __asm__ volatile("int3"); /* INT3 */
    seen = 20;
    __asm__ volatile("ud2"); /* UD2 */
    seen = 30;
}
__attribute__((noinline)) static void caller_of_assembly(void)
{
    seen = 40;
    assembly_function(); /* ASSEMBLY */
    seen = 50; /* BEHIND ASSEMBLY */
}

void kernel_main(void)
{
    struct {
        unsigned short limit;
        u64 base;
    } __attribute__((packed)) table = { sizeof gates - 1, (u64)gates };
    set_gate(3, breakpoint_stub);
    set_gate(6, invalid_opcode);
    __asm__ volatile("lidt %0" ::"m"(table));
    interrupted();
    caller_of_assembly();
}
