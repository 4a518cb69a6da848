/* The local APIC in xAPIC mode: a periodic tick, and messages to other processors. */
#include "apic.h"

#include "cpu.h"
#include "io.h"
#include "trap.h"

#define APIC_BASE 0xFEE00000
#define MSR_APIC_BASE 0x1B
#define APIC_GLOBAL_ENABLE (1 << 11)

/* Register offsets: SDM vol. 3, table 11-1. */
enum apic_register {
    APIC_ID = 0x020,
    APIC_TASK_PRIORITY = 0x080,
    APIC_EOI = 0x0B0,
    APIC_SPURIOUS = 0x0F0,
    APIC_COMMAND_LOW = 0x300,
    APIC_COMMAND_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_DIVIDE = 0x3E0,
};

#define SOFTWARE_ENABLE 0x100
#define LVT_MASKED 0x10000
#define LVT_PERIODIC 0x20000
#define COMMAND_FIXED 0x00000
#define COMMAND_INIT 0x00500
#define COMMAND_STARTUP 0x00600
#define COMMAND_PENDING 0x01000
#define COMMAND_ASSERT 0x04000
#define COMMAND_ALL_BUT_SELF 0xC0000
#define DIVIDE_BY_1 0xB

/* 1 ms where the timer counts at 1 GHz, as in QEMU. Nothing here needs it to be exact. */
#define TICK_COUNT 1000000

static volatile uint32_t *apic_register(enum apic_register offset)
{
    return (volatile uint32_t *)(uintptr_t)(APIC_BASE + offset);
}

static uint32_t apic_read(enum apic_register offset)
{
    return *apic_register(offset);
}

static void apic_write(enum apic_register offset, uint32_t value)
{
    *apic_register(offset) = value;
}

uint32_t apic_id(void)
{
    return apic_read(APIC_ID) >> 24;
}

static void on_tick(struct trap_frame *frame)
{
    (void)frame;
    this_cpu()->ticks++;
    apic_write(APIC_EOI, 0);
}

static void on_wake(struct trap_frame *frame)
{
    (void)frame;
    this_cpu()->wakes++;
    apic_write(APIC_EOI, 0);
}

static void on_spurious(struct trap_frame *frame)
{
    (void)frame; /* a spurious interrupt gets no EOI: SDM vol. 3, 11.9 */
}

void apic_init(void)
{
    trap_handle(VECTOR_TICK, on_tick);
    trap_handle(VECTOR_WAKE, on_wake);
    trap_handle(VECTOR_SPURIOUS, on_spurious);

    write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | APIC_GLOBAL_ENABLE);
    apic_write(APIC_SPURIOUS, SOFTWARE_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_TASK_PRIORITY, 0);
    apic_write(APIC_LVT_LINT0, LVT_MASKED);
    apic_write(APIC_LVT_LINT1, LVT_MASKED);
    apic_write(APIC_LVT_ERROR, LVT_MASKED);
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_TICK);
    apic_write(APIC_TIMER_INITIAL, TICK_COUNT);
    this_cpu()->apic_id = apic_id();
}

static void send(uint32_t destination, uint32_t command)
{
    apic_write(APIC_COMMAND_HIGH, destination << 24);
    apic_write(APIC_COMMAND_LOW, command); /* this write sends */
    while (apic_read(APIC_COMMAND_LOW) & COMMAND_PENDING)
        spin_hint();
}

void apic_send_init_all(void)
{
    send(0, COMMAND_ALL_BUT_SELF | COMMAND_ASSERT | COMMAND_INIT);
}

void apic_send_startup(uint32_t apic_id, uint32_t page)
{
    send(apic_id, COMMAND_ASSERT | COMMAND_STARTUP | page);
}

/* The command register is two writes, so an interrupt handler may not come
   between them with a message of its own; ours sends none. */
void apic_wake_others(void)
{
    send(0, COMMAND_ALL_BUT_SELF | COMMAND_ASSERT | COMMAND_FIXED | VECTOR_WAKE);
}

/* The two 8259 interrupt controllers of the PC: masked, and that is all about them. */
void legacy_interrupts_off(void)
{
    out8(0x21, 0xFF);
    out8(0xA1, 0xFF);
}

/* Waiting without burning instructions; the tick wakes at the latest. */
void idle(void)
{
    wait_for_interrupt();
}

void idle_ticks(uint32_t count)
{
    struct cpu *cpu = this_cpu();
    uint32_t start = cpu->ticks;

    while (cpu->ticks - start < count)
        idle();
}
