// Executes single instructions on this processor for the test of the engine (protocol: see protocol.ts).
//
// Reads cases from standard input, loads each one's registers by returning from a signal handler with TF set, and lets the
// instruction end in a signal: SIGTRAP after it retired (SDM 3B 18.3.1.4), or that of its fault, whose vector the kernel
// puts into the signal's frame. The same handler writes the result and loads the next case, so a case costs one signal.
// x86-64 Linux only.
//
// usage: runner < cases > results
//        runner --probe     prints the kinds of cases that this kernel allows: "64 32 segmented 16 fsgsbase"
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define DATA_ADDRESS 0x20000000ul
#define DATA_SIZE 0x4000ul
#define CODE_ADDRESS 0x30000000ul
#define CODE_OFFSET 0x800ul
#define FS_BASE 0x2000ul
#define GS_BASE 0x1000ul
#define MAX_CHANGES 128
#define MAX_PATCH 1024
// Linux's selectors
#define USER_CODE32 0x23
#define USER_CODE64 0x33
#define USER_DATA 0x2b
// Ours in the LDT: 16-bit and 32-bit code, data, string destination, 16-bit and 32-bit stack
#define LDT_CODE16 0x07
#define LDT_CODE32 0x0f
#define LDT_DATA 0x17
#define LDT_STRING 0x1f
#define LDT_STACK16 0x27
#define LDT_STACK32 0x2f
// and some that only selectors are loaded from: read-only data, data that is not present, code that may not be read
#define LDT_READ_ONLY 0x37
#define LDT_NOT_PRESENT 0x3f
#define LDT_EXECUTE_ONLY 0x47
// Linux, arch/x86/include/uapi/asm/ucontext.h and hwcap2.h
#define UC_SIGCONTEXT_SS 0x2
#define UC_STRICT_RESTORE_SS 0x4
#define HWCAP2_FSGSBASE 2
#define SEGMENTED 0x100

struct x87_state {
  uint16_t control, status, tags, opcode;
  uint64_t instruction, operand;
  uint8_t registers[128];
};
struct test_case {
  uint8_t code[24]; // the instruction, a jump to itself, zeros
  uint64_t registers[16]; // RAX RCX RDX RBX RSP RBP RSI RDI R8..R15
  uint64_t flags;
  uint8_t xmm[256];
  uint32_t mxcsr;
  uint32_t patch_offset; // bytes of the data pages that are not as always; they follow the case, filled up to 8
  uint32_t patch_size;
  uint32_t kind; // 16, 32 or 64, and SEGMENTED
  struct x87_state x87;
};
struct result {
  uint32_t vector;
  uint32_t error;
  uint64_t address; // CR2
  uint64_t registers[16];
  uint64_t rip;
  uint64_t flags;
  uint8_t xmm[256];
  uint32_t mxcsr;
  uint32_t changes; // entries that follow: offset in the data pages, value of the quadword
  struct x87_state x87;
  uint64_t fs_base, gs_base;
  uint32_t cs, ss, ds, es, fs, gs;
};

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static uint8_t original[DATA_SIZE]; // the data pages before each case
static struct test_case current;
static uint8_t patch[MAX_PATCH];
static gregset_t outside; // registers of main at its breakpoint
static int inside;
static int has_bases;              // RDFSBASE and the like are allowed
static uint64_t runner_fs;         // thread-local storage is there
static uint64_t after_fs, after_gs; // what the instruction left
static uint32_t after_selectors[4];  // DS ES FS GS

static inline uint64_t read_fs(void) { uint64_t v; __asm__ volatile("rdfsbase %0" : "=r"(v)); return v; }
static inline uint64_t read_gs(void) { uint64_t v; __asm__ volatile("rdgsbase %0" : "=r"(v)); return v; }
static inline void write_fs(uint64_t v) { __asm__ volatile("wrfsbase %0" ::"r"(v)); }
static inline void write_gs(uint64_t v) { __asm__ volatile("wrgsbase %0" ::"r"(v)); }

static void write_result(const ucontext_t *context) {
  const greg_t *registers = context->uc_mcontext.gregs;
  const struct _libc_fpstate *fpstate = context->uc_mcontext.fpregs;
  const uint16_t *selectors = (const uint16_t *)&registers[REG_CSGSFS];
  struct result result;
  uint64_t changes[MAX_CHANGES][2];
  memset(&result, 0, sizeof result);
  result.vector = (uint32_t)registers[REG_TRAPNO];
  result.error = (uint32_t)registers[REG_ERR];
  result.address = (uint64_t)registers[REG_CR2];
  for (int i = 0; i < 16; i++) result.registers[i] = (uint64_t)registers[order[i]];
  result.rip = (uint64_t)registers[REG_RIP];
  result.flags = (uint64_t)registers[REG_EFL];
  memcpy(result.xmm, fpstate->_xmm, sizeof result.xmm);
  result.mxcsr = fpstate->mxcsr;
  result.x87.control = fpstate->cwd;
  result.x87.status = fpstate->swd;
  result.x87.tags = fpstate->ftw;
  result.x87.opcode = fpstate->fop;
  result.x87.instruction = fpstate->rip;
  result.x87.operand = fpstate->rdp;
  memcpy(result.x87.registers, fpstate->_st, sizeof result.x87.registers);
  result.fs_base = after_fs;
  result.gs_base = after_gs;
  result.cs = selectors[0];
  result.ss = selectors[3];
  result.ds = after_selectors[0];
  result.es = after_selectors[1];
  result.fs = after_selectors[2];
  result.gs = after_selectors[3];
  if (memcmp(original, (void *)DATA_ADDRESS, DATA_SIZE) != 0) {
    const uint64_t *before = (const uint64_t *)original, *after = (const uint64_t *)DATA_ADDRESS;
    for (size_t i = 0; i < DATA_SIZE / 8 && result.changes < MAX_CHANGES; i++) {
      if (before[i] == after[i]) continue;
      changes[result.changes][0] = i * 8;
      changes[result.changes++][1] = after[i];
    }
    memcpy((void *)DATA_ADDRESS, original, DATA_SIZE);
  }
  fwrite(&result, sizeof result, 1, stdout);
  fwrite(changes, sizeof changes[0], result.changes, stdout);
}

// The unchanged data pages are `original` with the patch of the case; the patch is taken back afterwards.
static uint8_t under_patch[MAX_PATCH];

static void take_patch_back(void) {
  memcpy(original + current.patch_offset, under_patch, current.patch_size);
  memcpy((void *)(DATA_ADDRESS + current.patch_offset), under_patch, current.patch_size);
}

static void load_segments(ucontext_t *context) {
  uint16_t *selectors = (uint16_t *)&context->uc_mcontext.gregs[REG_CSGSFS]; // CS GS FS SS
  unsigned ds = USER_DATA, es = USER_DATA, size = current.kind & 0xff;
  selectors[0] = size == 32 ? USER_CODE32 : USER_CODE64;
  selectors[3] = USER_DATA;
  if (current.kind & SEGMENTED) {
    selectors[0] = size == 16 ? LDT_CODE16 : LDT_CODE32;
    selectors[3] = size == 16 ? LDT_STACK16 : LDT_STACK32;
    ds = LDT_DATA;
    es = LDT_STRING;
  }
  // the selectors of the instruction's stack segment count, whatever code the signal came from
  context->uc_flags |= UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
  __asm__ volatile("mov %0, %%ds; mov %1, %%es" ::"r"(ds), "r"(es));
}

static int load_case(ucontext_t *context) {
  greg_t *registers = context->uc_mcontext.gregs;
  struct _libc_fpstate *fpstate = context->uc_mcontext.fpregs;
  if (fread(&current, sizeof current, 1, stdin) != 1) return 0;
  size_t filled = (current.patch_size + 7) & ~7ul;
  if (filled > sizeof patch || current.patch_offset + current.patch_size > DATA_SIZE) exit(6);
  if (filled != 0 && fread(patch, filled, 1, stdin) != 1) exit(7);
  memcpy(under_patch, original + current.patch_offset, current.patch_size);
  memcpy(original + current.patch_offset, patch, current.patch_size);
  memcpy((void *)(DATA_ADDRESS + current.patch_offset), patch, current.patch_size);
  memcpy((void *)(CODE_ADDRESS + CODE_OFFSET), current.code, sizeof current.code);
  for (int i = 0; i < 16; i++) registers[order[i]] = (greg_t)current.registers[i];
  registers[REG_RIP] = (greg_t)((current.kind & SEGMENTED ? 0 : CODE_ADDRESS) + CODE_OFFSET);
  registers[REG_EFL] = (greg_t)(current.flags | 0x302); // IF, TF
  memcpy(fpstate->_xmm, current.xmm, sizeof current.xmm);
  fpstate->mxcsr = current.mxcsr;
  fpstate->cwd = current.x87.control;
  fpstate->swd = current.x87.status;
  fpstate->ftw = current.x87.tags;
  fpstate->fop = current.x87.opcode;
  fpstate->rip = current.x87.instruction;
  fpstate->rdp = current.x87.operand;
  memcpy(fpstate->_st, current.x87.registers, sizeof current.x87.registers);
  load_segments(context);
  *(uint64_t *)((uint8_t *)fpstate + 512) |= 3; // XSTATE_BV: the x87 and SSE states are not the initial ones
  return 1;
}

// Without thread-local storage until the runner's FS base is back.
__attribute__((optimize("no-stack-protector"))) static void on_signal(int number, siginfo_t *info, void *argument) {
  ucontext_t *context = argument;
  // the kernel leaves RFLAGS.AC as it was: this code is not aligned (compiled without a red zone)
  __asm__ volatile("pushfq; andq $~0x40000, (%%rsp); popfq" ::: "cc", "memory");
  if (has_bases) {
    after_fs = read_fs();
    after_gs = read_gs();
    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
                     : "=r"(after_selectors[0]), "=r"(after_selectors[1]), "=r"(after_selectors[2]), "=r"(after_selectors[3]));
    __asm__ volatile("mov %0, %%fs; mov %0, %%gs" ::"r"(0));
    write_fs(runner_fs);
  }
  (void)info;
  (void)number;
  if (inside) {
    write_result(context);
    take_patch_back();
  } else {
    memcpy(outside, context->uc_mcontext.gregs, sizeof outside);
    inside = 1;
  }
  if (!load_case(context)) {
    memcpy(context->uc_mcontext.gregs, outside, sizeof outside);
    context->uc_mcontext.fpregs->mxcsr = 0x1f80;
    context->uc_mcontext.fpregs->cwd = 0x37f;
    context->uc_mcontext.fpregs->swd = 0;
    context->uc_mcontext.fpregs->ftw = 0;
    inside = 0;
    return;
  }
  if (has_bases) {
    write_gs(GS_BASE);
    write_fs(FS_BASE);
  }
}

static void *pages(uint64_t address, size_t size, int protection) {
  void *p = mmap((void *)address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
  if (p != (void *)address) {
    perror("mmap");
    exit(2);
  }
  return p;
}

// 0, or the errno of a kernel that does not allow such a segment. contents: 0 data, 1 data that expands down, 2 code.
static int set_segment(unsigned selector, struct user_desc segment) {
  segment.entry_number = selector >> 3;
  return syscall(SYS_modify_ldt, 0x11, &segment, sizeof segment) == 0 ? 0 : errno;
}
#define DATA_SEGMENT .base_addr = DATA_ADDRESS, .limit = 0x2fff, .seg_32bit = 1
#define CODE_SEGMENT .base_addr = CODE_ADDRESS, .limit = 0xffff, .contents = 2
#define STACK_SEGMENT .base_addr = DATA_ADDRESS, .limit = 0x7ff, .contents = 1
static int set_segments32(void) {
  const struct {
    unsigned selector;
    struct user_desc segment;
  } table[] = {
      {LDT_CODE32, {CODE_SEGMENT, .seg_32bit = 1}},
      {LDT_DATA, {DATA_SEGMENT}},
      {LDT_STRING, {.base_addr = DATA_ADDRESS + 0x1000, .limit = 0xffff, .seg_32bit = 1}},
      {LDT_STACK32, {STACK_SEGMENT, .seg_32bit = 1}},
      {LDT_READ_ONLY, {DATA_SEGMENT, .read_exec_only = 1}},
      {LDT_NOT_PRESENT, {DATA_SEGMENT, .seg_not_present = 1}},
      {LDT_EXECUTE_ONLY, {CODE_SEGMENT, .seg_32bit = 1, .read_exec_only = 1}},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    int failed = set_segment(table[i].selector, table[i].segment);
    if (failed) return failed;
  }
  return 0;
}
static int set_segments16(void) {
  int failed = set_segment(LDT_CODE16, (struct user_desc){CODE_SEGMENT});
  return failed ? failed : set_segment(LDT_STACK16, (struct user_desc){STACK_SEGMENT});
}

int main(int argc, char **argv) {
  static uint8_t signal_stack[1 << 17];
  static const int signals[] = {SIGTRAP, SIGSEGV, SIGILL, SIGBUS, SIGFPE};
  stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
  struct sigaction action;
  int failed32 = set_segments32(), failed16 = failed32 ? failed32 : set_segments16();
  has_bases = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
  if (argc > 1 && strcmp(argv[1], "--probe") == 0) {
    printf("64 32%s%s%s\n", failed32 ? "" : " segmented", failed16 ? "" : " 16", has_bases ? " fsgsbase" : "");
    if (failed32) printf("segmented: modify_ldt: %s\n", strerror(failed32));
    else if (failed16) printf("16: modify_ldt: %s\n", strerror(failed16));
    return 0;
  }
  pages(DATA_ADDRESS, DATA_SIZE, PROT_READ | PROT_WRITE);
  pages(CODE_ADDRESS, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC);
  if (fread(original, sizeof original, 1, stdin) != 1) return 3;
  memcpy((void *)DATA_ADDRESS, original, DATA_SIZE);
  if (has_bases) runner_fs = read_fs();
  if (syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE) != 0) return 4;
  // a case that runs on ends here; processor time, so that a busy machine ends none that does not
  const struct itimerval limit = {.it_value = {.tv_sec = 60}};
  if (setitimer(ITIMER_PROF, &limit, NULL) != 0) return 6;
  sigaltstack(&stack, NULL);
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaction(signals[i], &action, NULL);
  __asm__ volatile("int3" ::: "memory");
  return fflush(stdout) == 0 ? 0 : 5;
}
