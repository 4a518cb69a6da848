/*
 * The code on which the kernel practises debugging (selfdebug.c). It is assembly
 * so that the number of its instructions and the address behind each store are
 * known exactly, whatever a compiler does.
 */
#include "layout.h"

#define FLAG_TRAP 0x100

    .cfi_sections .debug_frame

/*
 * uint64_t breakpoint_patient(uint64_t value): value * 2 + 7. The kernel plants
 * int3 over the ADD. It has its own 16 bytes at the end of .text, which the
 * checksum of the code leaves out.
 */
    .section .patch, "ax"
    .balign 16
    .globl breakpoint_patient, breakpoint_site
    .type breakpoint_patient, @function
breakpoint_patient:
    .cfi_startproc
    leaq (%rdi, %rdi), %rax
breakpoint_site:
    addq $7, %rax
    ret
    .cfi_endproc
    .size breakpoint_patient, . - breakpoint_patient
    .balign 16, 0x90

    .text
/* void store_patient(uint64_t *where, uint64_t value): a data breakpoint on
   `where` is reported behind the store. */
    .globl store_patient, store_patient_done
    .type store_patient, @function
store_patient:
    .cfi_startproc
    movq %rsi, (%rdi)
store_patient_done:
    ret
    .cfi_endproc
    .size store_patient, . - store_patient

/* uint32_t load_patient(const uint32_t *where) */
    .globl load_patient, load_patient_done
    .type load_patient, @function
load_patient:
    .cfi_startproc
    movl (%rdi), %eax
load_patient_done:
    ret
    .cfi_endproc
    .size load_patient, . - load_patient

/* uint64_t execute_patient(uint64_t value): an execution breakpoint sits on the
   INC and must not keep it from being executed exactly once. */
    .globl execute_patient, execute_patient_site
    .type execute_patient, @function
execute_patient:
    .cfi_startproc
    movq %rdi, %rax
execute_patient_site:
    incq %rax
    ret
    .cfi_endproc
    .size execute_patient, . - execute_patient

/*
 * uint64_t step_patient(void *scratch): executes exactly STEP_PATIENT_STEPS
 * instructions (selfdebug.h) while TF is set, each counted at the right. `POPFQ`
 * that sets TF is not among them, the one that clears it is: TF is sampled when
 * an instruction begins (SDM vol. 3, 17.3.1.4).
 */
    .globl step_patient, step_patient_first, step_patient_last
    .type step_patient, @function
step_patient:
    .cfi_startproc
    pushfq
    .cfi_adjust_cfa_offset 8
    orq $FLAG_TRAP, (%rsp)
    popfq
    .cfi_adjust_cfa_offset -8
    xorl %eax, %eax             /*  1 */
step_patient_first:
    movl $5, %ecx               /*  1 */
1:  leaq 3(%rax, %rcx), %rax    /*  5 */
    decl %ecx                   /*  5 */
    jnz 1b                      /*  5 */
    call step_patient_leaf      /*  1, and 2 in there */
    movl $3, %ecx               /*  1 */
    movq %rax, %rdx             /*  1 */
    rep stosb                   /*  3: a trap for each iteration */
    movq %rdx, %rax             /*  1 */
    pushfq                      /*  1 */
    .cfi_adjust_cfa_offset 8
    btrq $8, (%rsp)             /*  1 */
    adcq $0, %rax               /*  1: counts the TF that PUSHFQ must show */
    popfq                       /*  1 */
    .cfi_adjust_cfa_offset -8
step_patient_last:
    ret
    .cfi_endproc
    .size step_patient, . - step_patient

    .type step_patient_leaf, @function
step_patient_leaf:
    .cfi_startproc
    addq $100, %rax
    ret
    .cfi_endproc
    .size step_patient_leaf, . - step_patient_leaf

    .section .note.GNU-stack, "", @progbits
