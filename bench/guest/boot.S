/* From Multiboot 1 (or the boot sector of bootsector.S) to the mode of the workload, with large identity-mapped pages: 64-bit
   code with 2 MiB pages, or 32-bit code with 4 MiB pages. Then the workload, between the ASCII characters start of heading
   and end of transmission; then isa-debug-exit with value 1. The same bytes run under every engine. */
    .section .multiboot, "a"
    .balign 4
    .long 0x1BADB002, 0x00000000, -0x1BADB002

    .bss
    .balign 4096
    .globl map4
map4: .skip 4096
map3: .skip 4096
map2: .skip 4096
    .skip 16384
stack_end:

    .text
    .code32
    .globl _start
_start:
    movl $stack_end, %esp
    xorl %ecx, %ecx
#ifdef __x86_64__
    movl $map3 + 7, map4
    movl $map2 + 7, map3
1:  movl %ecx, %eax
    shll $21, %eax
    orl $0x87, %eax
    movl %eax, map2(,%ecx,8)
    incl %ecx
    cmpl $512, %ecx
    jne 1b
    movl $map4, %eax
    movl %eax, %cr3
    movl $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xC0000080, %ecx
    movl $0x101, %eax /* LME, SCE */
    xorl %edx, %edx
    wrmsr
    movl $0x80000033, %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $wide
#else
1:  movl %ecx, %eax
    shll $22, %eax
    orl $0x87, %eax
    movl %eax, map2(,%ecx,4)
    incl %ecx
    cmpl $1024, %ecx
    jne 1b
    movl $map2, %eax
    movl %eax, %cr3
    movl $0x610, %eax /* PSE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0x80000033, %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x18, $wide
#endif

    .balign 8
    .globl gdt
gdt:
    .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
    .quad 0x00CF9B000000FFFF, 0x00CFF3000000FFFF, 0x00AFFB000000FFFF /* 32-bit code; data and 64-bit code of ring 3 */
    .globl gdt_tss
gdt_tss:
    .quad 0, 0
gdt_pointer:
    .word . - gdt - 1
    .long gdt

#ifdef __x86_64__
    .code64
#endif
wide:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movb $1, %al
    call mark
    call workload
    movb $4, %al
    call mark
    movl $1, %eax
    outl %eax, $0xF4
2:  hlt
    jmp 2b
mark: /* on the serial port, and on the debug console for who flushes no other */
    movw $0x3F8, %dx
    outb %al, %dx
    outb %al, $0xE9
    ret
    .section .note.GNU-stack, "", @progbits
