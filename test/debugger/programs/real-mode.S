# Multiboot entry that drops to real mode: CS base 9000h, SS base 8000h, an interrupt table at 0.
        .section .multiboot, "a"
        .balign 4
        .long 0x1BADB002, 0, -0x1BADB002
        .text
        .code32
        .globl _start
_start: movl $real_image, %esi
        movl $0x9000, %edi
        movl $real_size, %ecx
        cld
        rep movsb
        lgdt descriptors_register
        lidt interrupts_register
        ljmp $0x18, $1f - _start
        .code16
1:      movw $0x20, %ax
        movw %ax, %ds
        movw %ax, %ss
        movl %cr0, %eax
        andb $0xFE, %al
        movl %eax, %cr0
        ljmp $0x0900, $0

        .section .real, "ax"
        .code16
        .globl real_start, real_function, real_handler
real_start:
        movw $0x0800, %ax
        movw %ax, %ss
        movw $0x0FF0, %sp
        xorw %ax, %ax
        movw %ax, %ds
        movw $real_handler - real_start, 0x21 * 4
        movw %cs, 0x21 * 4 + 2
        movw $3, %cx
1:      call real_function
        int $0x21
        lcall $0x0900, $real_far - real_start
        loop 1b
        movb $0, %al
        outb %al, $0xF4
2:      hlt
        jmp 2b
real_function:
        pushw %bx
        incw %bx
        popw %bx
        ret
real_handler:
        incw %dx
        iret
real_far:
        incw %si
        lret
real_end:

        .section .rodata
        .balign 8
descriptors:
        .quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF, 0x00009B100000FFFF + (0x30 << 16), 0x000093000000FFFF
descriptors_register:
        .word . - descriptors - 1
        .long descriptors
interrupts_register:
        .word 0x3FF
        .long 0
        .section .note.GNU-stack, "", @progbits
