/*
 * Where an application processor wakes up. The start-up IPI leaves it in real
 * mode at TRAMPOLINE_BASE (SDM vol. 3, 9.4); this page takes it through
 * protected mode to long mode and onto its own stack. The section is linked to
 * run at TRAMPOLINE_BASE but stored with the kernel: smp.c copies it down.
 */
#include "layout.h"

#define TRAMPOLINE_CODE32 0x18

    .cfi_sections .debug_frame
    .section .trampoline, "awx"
    .code16
    .globl trampoline_start
    .type trampoline_start, @function
trampoline_start:
    .cfi_startproc
    .cfi_undefined 16
    cli
    cld
    movw %cs, %ax /* CS base is the page; labels are used relative to it */
    movw %ax, %ds
    lgdtl trampoline_gdt_pointer - trampoline_start
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $TRAMPOLINE_CODE32, $trampoline_protected
    .cfi_endproc
    .size trampoline_start, . - trampoline_start

    .code32
    .type trampoline_protected, @function
trampoline_protected:
    .cfi_startproc
    .cfi_undefined 16
    movw $KERNEL_DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl trampoline_map, %eax
    movl %eax, %cr3
    movl $CR4_RUN, %eax
    movl %eax, %cr4
    movl $MSR_EFER, %ecx
    movl $EFER_RUN, %eax
    xorl %edx, %edx
    wrmsr
    movl $CR0_RUN, %eax /* also clears CD and NW, which INIT sets */
    movl %eax, %cr0
    ljmp $KERNEL_CODE, $trampoline_long
    .cfi_endproc
    .size trampoline_protected, . - trampoline_protected

    .code64
    .type trampoline_long, @function
trampoline_long:
    .cfi_startproc
    .cfi_undefined 16
    movq trampoline_stack, %rsp
    movq trampoline_cpu, %rdi
    xorl %ebp, %ebp
    movq $smp_entry, %rax
    call *%rax
1:  hlt
    jmp 1b
    .cfi_endproc
    .size trampoline_long, . - trampoline_long

    .balign 8
trampoline_gdt:
    .quad 0
    .quad 0x00AF9B000000FFFF /* KERNEL_CODE */
    .quad 0x00CF93000000FFFF /* KERNEL_DATA */
    .quad 0x00CF9B000000FFFF /* TRAMPOLINE_CODE32 */
trampoline_gdt_pointer:
    .word . - trampoline_gdt - 1
    .long trampoline_gdt

    /* The mailbox: smp.c fills it in for one processor at a time. */
    .balign 8
    .globl trampoline_map, trampoline_stack, trampoline_cpu
trampoline_map:
    .quad 0
trampoline_stack:
    .quad 0
trampoline_cpu:
    .quad 0

    .section .note.GNU-stack, "", @progbits
