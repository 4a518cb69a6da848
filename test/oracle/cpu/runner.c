// Executes single instructions on this processor for the test of the engine (protocol: see protocol.ts).
//
// Reads cases from standard input, loads each one's registers by returning from a signal handler with TF set, and lets the
// instruction end in a signal: SIGTRAP after it retired (SDM 3B 18.3.1.4), or that of its fault. The same handler writes the
// result and loads the next case, so a case costs one signal. x86-64 Linux only.
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define DATA_ADDRESS 0x20000000ul
#define DATA_SIZE 0x4000ul
#define CODE_ADDRESS 0x30000000ul
#define CODE_OFFSET 0x800ul
#define GS_BASE 0x1000ul
#define MAX_CHANGES 48
// Linux's selectors
#define USER_CODE32 0x23
#define USER_CODE64 0x33
#define USER_DATA 0x2b

struct test_case {
  uint8_t code[16];
  uint64_t registers[16]; // RAX RCX RDX RBX RSP RBP RSI RDI R8..R15
  uint64_t flags;
  uint8_t xmm[256];
  uint32_t mxcsr;
  uint32_t patch_offset; // 16 bytes of the data pages that are not as always
  uint8_t patch[16];
  uint32_t code_size; // 32 or 64
  uint32_t reserved;
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
};

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static uint8_t original[DATA_SIZE]; // the data pages before each case
static struct test_case current;
static gregset_t outside; // registers of main at its breakpoint
static int inside;

static void write_result(const ucontext_t *context) {
  const greg_t *registers = context->uc_mcontext.gregs;
  struct result result;
  uint64_t changes[MAX_CHANGES][2];
  memset(&result, 0, sizeof result);
  result.vector = (uint32_t)registers[REG_TRAPNO];
  result.error = (uint32_t)registers[REG_ERR];
  result.address = (uint64_t)registers[REG_CR2];
  for (int i = 0; i < 16; i++) result.registers[i] = (uint64_t)registers[order[i]];
  result.rip = (uint64_t)registers[REG_RIP];
  result.flags = (uint64_t)registers[REG_EFL];
  memcpy(result.xmm, context->uc_mcontext.fpregs->_xmm, sizeof result.xmm);
  result.mxcsr = context->uc_mcontext.fpregs->mxcsr;
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
static uint8_t under_patch[16];

static int load_case(ucontext_t *context) {
  greg_t *registers = context->uc_mcontext.gregs;
  struct _libc_fpstate *fpstate = context->uc_mcontext.fpregs;
  if (fread(&current, sizeof current, 1, stdin) != 1) return 0;
  memcpy(under_patch, original + current.patch_offset, 16);
  memcpy(original + current.patch_offset, current.patch, 16);
  memcpy((void *)(DATA_ADDRESS + current.patch_offset), current.patch, 16);
  memcpy((void *)(CODE_ADDRESS + CODE_OFFSET), current.code, 16);
  for (int i = 0; i < 16; i++) registers[order[i]] = (greg_t)current.registers[i];
  registers[REG_RIP] = (greg_t)(CODE_ADDRESS + CODE_OFFSET);
  registers[REG_EFL] = (greg_t)(current.flags | 0x302); // IF, TF
  memcpy(fpstate->_xmm, current.xmm, sizeof current.xmm);
  fpstate->mxcsr = current.mxcsr;
  ((uint16_t *)&registers[REG_CSGSFS])[0] = current.code_size == 32 ? USER_CODE32 : USER_CODE64;
  *(uint64_t *)((uint8_t *)fpstate + 512) |= 3; // XSTATE_BV: the SSE state is not the initial one
  return 1;
}

static void on_signal(int number, siginfo_t *info, void *argument) {
  ucontext_t *context = argument;
  (void)info;
  (void)number;
  if (inside) {
    write_result(context);
    memcpy(original + current.patch_offset, under_patch, 16);
    memcpy((void *)(DATA_ADDRESS + current.patch_offset), under_patch, 16);
  } else {
    memcpy(outside, context->uc_mcontext.gregs, sizeof outside);
    inside = 1;
  }
  if (!load_case(context)) {
    memcpy(context->uc_mcontext.gregs, outside, sizeof outside);
    context->uc_mcontext.fpregs->mxcsr = 0x1f80;
    inside = 0;
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

int main(void) {
  static uint8_t signal_stack[1 << 17];
  static const int signals[] = {SIGTRAP, SIGSEGV, SIGILL, SIGBUS, SIGFPE};
  stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
  struct sigaction action;
  pages(DATA_ADDRESS, DATA_SIZE, PROT_READ | PROT_WRITE);
  pages(CODE_ADDRESS, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC);
  if (fread(original, sizeof original, 1, stdin) != 1) return 3;
  memcpy((void *)DATA_ADDRESS, original, DATA_SIZE);
  if (syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE) != 0) return 4;
  sigaltstack(&stack, NULL);
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaction(signals[i], &action, NULL);
  __asm__ volatile("mov %0, %%ds; mov %0, %%es" ::"r"(USER_DATA)); // 32-bit code needs data segments
  __asm__ volatile("int3" ::: "memory");
  return fflush(stdout) == 0 ? 0 : 5;
}
