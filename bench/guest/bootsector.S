/* For emulators that boot disks only: reads SECTORS sectors behind this one to 64 KiB, copies them to 1 MiB and jumps to ENTRY. */
    .code16
    .globl start
start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0x7C00, %sp
    in $0x92, %al /* A20 */
    or $2, %al
    out %al, $0x92
    mov $SECTORS, %cx
1:  push %cx
    mov $0x42, %ah /* extended read (Enhanced Disk Drive 3.0) */
    mov $0x80, %dl
    mov $packet, %si
    int $0x13
    jc 2f
    pop %cx
    addw $0x20, packet_segment
    incl packet_sector
    loop 1b
    lgdt gdt_pointer
    mov $1, %eax
    mov %eax, %cr0
    ljmp $8, $protected
2:  hlt
    jmp 2b
    .code32
protected:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $0x10000, %esi
    mov $0x100000, %edi
    mov $(SECTORS * 512 / 4), %ecx
    rep movsl
    xor %eax, %eax /* .bss of whatever size */
    mov $0x40000, %ecx
    rep stosl
    mov $ENTRY, %eax
    jmp *%eax
    .balign 4
packet: .byte 16, 0
    .word 1, 0
packet_segment: .word 0x1000
packet_sector: .long 1, 0
    .balign 8
gdt: .quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF
gdt_pointer: .word 23
    .long gdt
    .org 510
    .word 0xAA55
    .section .note.GNU-stack, "", @progbits
