/* mmap, mprotect, mremap, madvise, copy on write, shared memory. */
#define _GNU_SOURCE
#include "exercise.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define PAGES 256

static sigjmp_buf resume;
static void *volatile fault_address;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    fault_address = info->si_addr;
    siglongjmp(resume, 1);
}

static int can_write(volatile char *at)
{
    if (sigsetjmp(resume, 1) != 0)
        return 0;
    *at = *at;
    return 1;
}
static int can_read(volatile char *at)
{
    if (sigsetjmp(resume, 1) != 0)
        return 0;
    (void)*at;
    return 1;
}

static void fill(char *area, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        memset(area + i * PAGE, (int)(i * 7 + 1), PAGE);
}
static void compare(const char *area, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        CHECK(area[i * PAGE] == (char)(i * 7 + 1) && area[i * PAGE + PAGE - 1] == (char)(i * 7 + 1));
}

static char *map(size_t pages)
{
    char *area = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    return area;
}

static void protection(void)
{
    char *area = map(4);
    fill(area, 4);
    CHECK(mprotect(area + PAGE, PAGE, PROT_READ) == 0);
    CHECK(mprotect(area + 2 * PAGE, PAGE, PROT_NONE) == 0);
    CHECK(can_write(area) && !can_write(area + PAGE) && can_read(area + PAGE));
    CHECK(fault_address == area + PAGE);
    CHECK(!can_read(area + 2 * PAGE) && can_write(area + 3 * PAGE));
    CHECK(mprotect(area, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
    compare(area, 4);
    CHECK(munmap(area + PAGE, PAGE) == 0);
    CHECK(can_read(area) && !can_read(area + PAGE) && can_read(area + 2 * PAGE));
    CHECK(munmap(area, 4 * PAGE) == 0);
}

/* Code that is written, run, changed and run again; and not run where the page must not be. */
static void execution(void)
{
    static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov eax, 42; ret */
    uint8_t *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code != MAP_FAILED);
    memcpy(code, answer, sizeof answer);
    int (*function)(void) = (int (*)(void))(uintptr_t)code;
    CHECK(function() == 42);
    for (int i = 0; i < 20; i++) {
        ((volatile uint8_t *)code)[1] = (uint8_t)i;
        CHECK(function() == i);
    }
    CHECK(mprotect(code, PAGE, PROT_READ) == 0);
    if (sigsetjmp(resume, 1) == 0) {
        function();
        CHECK(!"code runs on a page that is not executable");
    }
    CHECK(fault_address == code);
    CHECK(munmap(code, PAGE) == 0);
}

static void change_all(void *argument)
{
    compare(argument, PAGES);
    memset(argument, 0xee, PAGES * PAGE);
}
static void copy_on_write(void)
{
    char *area = map(PAGES);
    fill(area, PAGES);
    expect_child_ok(start_child(change_all, area));
    compare(area, PAGES);
    area = mremap(area, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);
    CHECK(area != MAP_FAILED);
    compare(area, PAGES);
    CHECK(area[(PAGES + 3) * PAGE] == 0);
    CHECK(madvise(area, PAGE, MADV_DONTNEED) == 0 && area[0] == 0);
    CHECK(munmap(area, 2 * PAGES * PAGE) == 0);
}

static void count_in_shared(void *argument)
{
    for (int i = 0; i < 1000; i++)
        __atomic_fetch_add((uint32_t *)argument, 1, __ATOMIC_SEQ_CST);
}
static void shared(void)
{
    int file = memfd_create("shared", 0);
    CHECK(file >= 0 && ftruncate(file, 2 * PAGE) == 0);
    uint32_t *area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    uint32_t *again = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file, 0);
    CHECK(area != MAP_FAILED && again != MAP_FAILED);
    pid_t children[4];
    for (int i = 0; i < 4; i++)
        children[i] = start_child(count_in_shared, area);
    for (int i = 0; i < 4; i++)
        expect_child_ok(children[i]);
    CHECK(*area == 4000 && *again == 4000);
    uint32_t value;
    CHECK(pread(file, &value, sizeof value, 0) == sizeof value && value == 4000);
    CHECK(munmap(area, 2 * PAGE) == 0 && munmap(again, 2 * PAGE) == 0 && close(file) == 0);
}

void exercise_memory(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    protection();
    execution();
    copy_on_write();
    shared();
}
