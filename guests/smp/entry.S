/*
 * The way into C for every interrupt, exception and system call, and back.
 * A stub brings the stack to one shape, struct trap_frame of trap.h, and the
 * unwind tables say so at every instruction: a backtrace from a C handler
 * reaches the interrupted function.
 */
#include "layout.h"

    .cfi_sections .debug_frame
    .text

    .macro push_register register
    pushq %\register
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset \register, 0
    .endm

    .macro pop_register register
    popq %\register
    .cfi_adjust_cfa_offset -8
    .cfi_restore \register
    .endm

    /* What the processor pushed: [error code,] RIP, CS, RFLAGS, RSP, SS.
       The CFA is the end of that frame. */
    .macro begin_interrupt extra
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_def_cfa rsp, 40 + \extra
    .cfi_offset rip, -40
    .cfi_offset rsp, -16
    .endm

    /* An exception with an error code gets none from us. */
    .macro stub vector, has_error=0
    .balign 16
stub_\vector:
    .if \has_error
    begin_interrupt 8
    .else
    begin_interrupt 0
    pushq $0
    .cfi_adjust_cfa_offset 8
    .endif
    pushq $\vector
    .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
    .endm

    .macro stub_address vector
    .quad stub_\vector
    .endm

    .type trap_common, @function
trap_common:
    begin_interrupt 16
    push_register rax
    push_register rcx
    push_register rdx
    push_register rbx
    push_register rbp
    push_register rsi
    push_register rdi
    push_register r8
    push_register r9
    push_register r10
    push_register r11
    push_register r12
    push_register r13
    push_register r14
    push_register r15
    cld
    movq %rsp, %rdi
    call trap_dispatch
    pop_register r15
    pop_register r14
    pop_register r13
    pop_register r12
    pop_register r11
    pop_register r10
    pop_register r9
    pop_register r8
    pop_register rdi
    pop_register rsi
    pop_register rbp
    pop_register rbx
    pop_register rdx
    pop_register rcx
    pop_register rax
    addq $16, %rsp /* vector and error code */
    .cfi_adjust_cfa_offset -16
    iretq
    .cfi_endproc
    .size trap_common, . - trap_common

    .altmacro
    .set vector, 0
    .rept 48
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
    stub %vector, 1
    .else
    stub %vector, 0
    .endif
    .set vector, vector + 1
    .endr

    .section .rodata
    .balign 8
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept 48
    stub_address %vector
    .set vector, vector + 1
    .endr
    .noaltmacro

    .text
/*
 * SYSCALL: RIP is in RCX, RFLAGS in R11, and the stack is still the user's.
 * GS always holds the kernel's base here, as the user program never loads it.
 */
    .globl system_call_entry
    .type system_call_entry, @function
system_call_entry:
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_def_cfa rsp, 0
    .cfi_register rip, rcx
    movq %rsp, %gs:CPU_USER_RSP
    movq %gs:CPU_KERNEL_RSP, %rsp
    .cfi_undefined rip /* a backtrace from the kernel side ends at the entry */
    cmpl $SYSTEM_CALL_EXIT, %eax
    je leave_user
    pushq %rcx
    pushq %r11
    movq %r11, %rdx
    call system_call /* RDI and RSI as the user passed them, and the user's flags */
    popq %r11
    popq %rcx
    movq %gs:CPU_USER_RSP, %rsp
    sysretq
    .cfi_endproc
    .size system_call_entry, . - system_call_entry

/*
 * uint64_t enter_user(uint64_t rip, uint64_t rsp): runs ring-3 code until its
 * SYSTEM_CALL_EXIT and returns what that was given. The stack pointer saved
 * here is where interrupts and system calls from ring 3 begin.
 */
    .globl enter_user
    .type enter_user, @function
enter_user:
    .cfi_startproc
    push_register rbx
    push_register rbp
    push_register r12
    push_register r13
    push_register r14
    push_register r15
    subq $8, %rsp /* interrupts and calls from here are 16-byte aligned */
    .cfi_adjust_cfa_offset 8
    movq %rsp, %gs:CPU_KERNEL_RSP
    movq %rsp, %gs:CPU_TASK_RSP0
    pushq $(USER_DATA | 3)
    .cfi_adjust_cfa_offset 8
    pushq %rsi
    .cfi_adjust_cfa_offset 8
    pushq $0x202 /* IF */
    .cfi_adjust_cfa_offset 8
    pushq $(USER_CODE | 3)
    .cfi_adjust_cfa_offset 8
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    iretq
    .cfi_adjust_cfa_offset -40
leave_user: /* from system_call_entry: RSP is CPU_KERNEL_RSP again */
    movq %rdi, %rax
    sti /* FMASK cleared it */
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    pop_register r15
    pop_register r14
    pop_register r13
    pop_register r12
    pop_register rbp
    pop_register rbx
    ret
    .cfi_endproc
    .size enter_user, . - enter_user

    .section .note.GNU-stack, "", @progbits
