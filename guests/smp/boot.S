/*
 * From the boot loader into C. Multiboot 1 hands over in 32-bit protected mode
 * without paging, EAX = 0x2BADB002; the rest of the kernel is 64-bit code, so
 * this file builds identity page tables and switches to long mode
 * (SDM vol. 3, 10.8.5 "Initializing IA-32e Mode").
 */
#include "layout.h"

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_BOOTED 0x2BADB002
#define MULTIBOOT_FLAGS 0x00000003 /* page-aligned modules, memory information */

    .cfi_sections .debug_frame

    .section .multiboot, "a"
    .balign 4
    .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

    .section .text.boot, "ax"
    .code32
    .globl _start
    .type _start, @function
_start:
    .cfi_startproc
    .cfi_undefined 16 /* RIP: nothing called us, unwinding ends here */
    cli
    cld
    cmpl $MULTIBOOT_BOOTED, %eax
    jne not_booted
    movl $(cpu_stacks + STACK_SIZE), %esp
    movl %ebx, %ebp /* survives CPUID */

    /* Long mode and no-execute are promised by CPUID, not by the loader. */
    movl $0x80000001, %eax
    cpuid
    andl $((1 << 29) | (1 << 20)), %edx
    cmpl $((1 << 29) | (1 << 20)), %edx
    jne not_booted

    /* 4 GiB in 2048 pages of 2 MiB; paging.c refines this later. */
    movl $boot_directories, %edi
    movl $0x83, %eax /* present, writable, page size */
    movl $2048, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b

    movl $(boot_directories + 3), %eax
    movl $boot_pointers, %edi
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 2b
    movl $(boot_pointers + 3), boot_map

    movl $boot_map, %eax
    movl %eax, %cr3
    movl $CR4_RUN, %eax
    movl %eax, %cr4
    movl $MSR_EFER, %ecx
    movl $EFER_RUN, %eax
    xorl %edx, %edx
    wrmsr
    movl $CR0_RUN, %eax
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $KERNEL_CODE, $long_mode

not_booted:
    movb $EXIT_NOT_BOOTED, %al
    outb %al, $EXIT_PORT
1:  hlt
    jmp 1b
    .cfi_endproc
    .size _start, . - _start

    .code64
    .type long_mode, @function
long_mode:
    .cfi_startproc
    .cfi_undefined 16
    movl $KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movl %ebp, %edi /* the Multiboot information: kernel_main's argument */
    xorl %ebp, %ebp
    call kernel_main
1:  hlt
    jmp 1b
    .cfi_endproc
    .size long_mode, . - long_mode

    .section .rodata.boot, "a"
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00AF9B000000FFFF /* 64-bit code, accessed */
    .quad 0x00CF93000000FFFF /* data, accessed */
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long boot_gdt

    .bss
    .balign 4096
    .globl boot_map, boot_pointers, boot_directories
boot_map:
    .skip 4096
boot_pointers:
    .skip 4096
boot_directories:
    .skip 4 * 4096

    .section .note.GNU-stack, "", @progbits
