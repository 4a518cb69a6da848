/*
 * The address space. boot.S mapped 4 GiB with 2 MiB pages, everything writable
 * and executable. Here the first 2 MiB, where the kernel is, get 4 KiB pages
 * with exact rights, and above 4 GiB every processor gets a window: one page
 * that it can point at any frame.
 */
#include "paging.h"

#include "check.h"
#include "cpu.h"
#include "io.h"

#define PRESENT 0x001ull
#define WRITABLE 0x002ull
#define USER 0x004ull
#define WRITE_THROUGH 0x008ull
#define CACHE_DISABLE 0x010ull
#define ACCESSED 0x020ull
#define DIRTY 0x040ull
#define PAGE_LARGE 0x080ull
#define NO_EXECUTE (1ull << 63)

#define LARGE_PAGE 0x200000ull
#define WINDOW_BASE 0x100000000ull
#define APIC_PAGE (0xFEE00000ull / LARGE_PAGE)

typedef uint64_t page_table[512];

extern page_table boot_map, boot_pointers;
extern uint64_t boot_directories[4 * 512];
extern const uint8_t text_start[], text_end[], rodata_start[], rodata_end[], user_start[], user_end[];
extern const uint8_t user_data_start[], user_data_end[];

static page_table low_table __attribute__((aligned(PAGE_SIZE)));
static page_table window_directory __attribute__((aligned(PAGE_SIZE)));
static page_table window_table __attribute__((aligned(PAGE_SIZE)));
static uint64_t window_frames[MAX_CPUS][2][PAGE_SIZE / 8] __attribute__((aligned(PAGE_SIZE)));

static bool within(uintptr_t page, const uint8_t *start, const uint8_t *end)
{
    return page + PAGE_SIZE > (uintptr_t)start && page < (uintptr_t)end;
}

static bool is_stack_guard(uintptr_t page)
{
    uintptr_t offset = page - (uintptr_t)cpu_stacks;

    return offset < sizeof(cpu_stacks) && offset % STACK_SIZE == 0;
}

/* What a page of the first 2 MiB may be used for. */
static uint64_t rights(uintptr_t page)
{
    if (page == 0 || is_stack_guard(page))
        return 0;
    if (page == TRAMPOLINE_BASE) /* its mailbox is beside its code */
        return PRESENT | WRITABLE;
    if (within(page, text_start, text_end))
        return PRESENT;
    if (within(page, rodata_start, rodata_end))
        return PRESENT | NO_EXECUTE;
    if (within(page, user_start, user_end))
        return PRESENT | USER;
    if (within(page, user_data_start, user_data_end))
        return PRESENT | WRITABLE | USER | NO_EXECUTE;
    return PRESENT | WRITABLE | NO_EXECUTE;
}

void paging_init(void)
{
    for (unsigned index = 0; index < 512; index++) {
        uintptr_t page = index * PAGE_SIZE;
        uint64_t allowed = rights(page);
        low_table[index] = allowed == 0 ? 0 : page | allowed;
    }
    for (unsigned index = 1; index < COUNT_OF(boot_directories); index++)
        boot_directories[index] |= NO_EXECUTE;
    boot_directories[0] = (uintptr_t)low_table | PRESENT | WRITABLE | USER;
    boot_directories[APIC_PAGE] |= CACHE_DISABLE | WRITE_THROUGH;
    boot_pointers[0] |= USER;
    boot_pointers[WINDOW_BASE >> 30] = (uintptr_t)window_directory | PRESENT | WRITABLE;
    boot_map[0] |= USER;
    window_directory[0] = (uintptr_t)window_table | PRESENT | WRITABLE;
    write_cr3(read_cr3()); /* flushes what the old tables left behind */
}

static uintptr_t window_address(void)
{
    return WINDOW_BASE + this_cpu()->number * PAGE_SIZE;
}

/* Maps the frame of `physical` writable, whatever the rights elsewhere, and
   returns where `physical` is to be seen. */
uint64_t *window_map(const void *physical)
{
    uintptr_t address = (uintptr_t)physical;

    window_table[this_cpu()->number] = (address & -(uintptr_t)PAGE_SIZE) | PRESENT | WRITABLE | NO_EXECUTE;
    invalidate_page(window_address());
    return (uint64_t *)(window_address() + address % PAGE_SIZE);
}

void window_unmap(void)
{
    window_table[this_cpu()->number] = 0;
    invalidate_page(window_address());
}

/* Points the window at one frame and at another, and looks whether the
   translation follows and leaves its accessed and dirty marks. */
void paging_check(void)
{
    uint32_t number = this_cpu()->number;
    volatile uint64_t *entry = &window_table[number];
    uint64_t *first = window_frames[number][0], *second = window_frames[number][1];
    volatile uint64_t *window = window_map(first);

    check((*entry & (ACCESSED | DIRTY)) == 0, "a fresh page table entry is already accessed or dirty");
    check(window[1] == 0, "the window does not show the first frame");
    check((*entry & (ACCESSED | DIRTY)) == ACCESSED, "a read did not set exactly the accessed bit");
    window[1] = 0x1111;
    check((*entry & (ACCESSED | DIRTY)) == (ACCESSED | DIRTY), "a write did not set the dirty bit");

    window = window_map(second);
    check(window[1] == 0, "INVLPG did not drop the old translation");
    window[1] = 0x2222;
    window_unmap();
    check(*(volatile uint64_t *)&first[1] == 0x1111 && *(volatile uint64_t *)&second[1] == 0x2222,
          "a write through the window went to the wrong frame");
}
