/* From Multiboot 1 to 64-bit mode with 2 MiB pages over the low 1 GiB, then the loop that LOOP names, then isa-debug-exit
   with value 1. The same bytes run under Trapline and under QEMU. */
    .section .multiboot, "a"
    .balign 4
    .long 0x1BADB002, 0x00000000, -0x1BADB002

    .bss
    .balign 4096
map4: .skip 4096
map3: .skip 4096
map2: .skip 4096
    .skip 16384
stack_end:

    .text
    .code32
    .globl _start
_start:
    movl $map3 + 3, map4
    movl $map2 + 3, map3
    xorl %ecx, %ecx
1:  movl %ecx, %eax
    shll $21, %eax
    orl $0x83, %eax
    movl %eax, map2(,%ecx,8)
    incl %ecx
    cmpl $512, %ecx
    jne 1b
    movl $map4, %eax
    movl %eax, %cr3
    movl $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xC0000080, %ecx
    movl $0x100, %eax /* LME */
    xorl %edx, %edx
    wrmsr
    movl $0x80000033, %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $long_mode

    .balign 8
gdt:
    .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
gdt_pointer:
    .word . - gdt - 1
    .long gdt

    .code64
long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $stack_end, %esp
    call loop
    movl $1, %eax
    outl %eax, $0xF4
2:  hlt
    jmp 2b
