/*
 * Numbers that C and assembly must agree on. cpu.c asserts the offsets against
 * the C structures, so a change in one place only does not compile.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

/* Segment selectors: the order is what SYSCALL and SYSRET derive from STAR. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA 0x18
#define USER_CODE 0x20
#define TASK_STATE 0x28

#define CR0_RUN 0x80010033 /* PG, WP, NE, ET, MP, PE */
#define CR4_RUN 0x00000620 /* OSXMMEXCPT, OSFXSR, PAE */
#define MSR_EFER 0xC0000080
#define EFER_RUN 0x00000901 /* NXE, LME, SCE */

#define STACK_SIZE 0x4000      /* of which the lowest page is a guard */
#define TRAMPOLINE_BASE 0x8000 /* below 1 MiB: the SIPI vector is its page number */

/* struct cpu */
#define CPU_SELF 0
#define CPU_KERNEL_RSP 8
#define CPU_USER_RSP 16
#define CPU_TASK_RSP0 28

/* System calls of the small ring-3 program. */
#define SYSTEM_CALL_ADD 1
#define SYSTEM_CALL_EXIT 2

#define EXIT_PORT 0xF4
#define EXIT_NOT_BOOTED 0x2D

#endif
