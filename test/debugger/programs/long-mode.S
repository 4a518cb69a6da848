# Multiboot entry of the small guests of test/debugger: 64-bit mode, 1 GiB mapped to itself, then kernel_main and power-off.
        .section .multiboot, "a"
        .balign 4
        .long 0x1BADB002, 0, -0x1BADB002
        .text
        .code32
        .globl _start
        .type _start, @function
_start: movl $boot_stack_top, %esp
        movl $level3 + 3, level4
        movl $level2 + 3, level3
        xorl %ecx, %ecx
1:      movl %ecx, %eax
        shll $21, %eax
        orl $0x83, %eax
        movl %eax, level2(, %ecx, 8)
        incl %ecx
        cmpl $512, %ecx
        jne 1b
        movl $level4, %eax
        movl %eax, %cr3
        movl $0x620, %eax
        movl %eax, %cr4
        movl $0xC0000080, %ecx
        movl $0x100, %eax
        xorl %edx, %edx
        wrmsr
        movl $0x80000011, %eax
        movl %eax, %cr0
        lgdt descriptors_register
        ljmp $8, $enter_long_mode
        .size _start, . - _start
        .code64
        .type enter_long_mode, @function
enter_long_mode:
        xorl %eax, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        xorl %ebp, %ebp
        call kernel_main
        movb $0, %al
        outb %al, $0xF4
1:      hlt
        jmp 1b
        .size enter_long_mode, . - enter_long_mode
        .section .rodata
        .balign 8
descriptors:
        .quad 0, 0x00209A0000000000, 0x0000920000000000
descriptors_register:
        .word . - descriptors - 1
        .long descriptors
        .bss
        .balign 4096
level4: .skip 4096
level3: .skip 4096
level2: .skip 4096
        .skip 16384
        .globl boot_stack_top
boot_stack_top:
        .section .note.GNU-stack, "", @progbits
