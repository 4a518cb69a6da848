/* The loops are written once for 64-bit and 32-bit code: registers by role, word-sized. */
#ifdef __x86_64__
#define AX %rax
#define BX %rbx
#define CX %rcx
#define DX %rdx
#define SI %rsi
#define DI %rdi
#define BP %rbp
#define COUNT %r9
#define WORD 8
#else
#define AX %eax
#define BX %ebx
#define CX %ecx
#define DX %edx
#define SI %esi
#define DI %edi
#define BP %ebp
#define COUNT %ebp
#define WORD 4
#endif
/* Where the loops work: 64 MiB from 16 MiB on, as the boot code maps it and the native harness too. */
#define ARENA 0x1000000
