# Virtual-8086 mode (SDM 3A chapter 21).

        .macro  to_virtual flags, cs=0
        .code32
        pushl   $0x4444                 # GS
        pushl   $0x3333                 # FS
        pushl   $0                      # DS
        pushl   $0x2222                 # ES
        pushl   $0                      # SS
        pushl   $USER_STACK
        pushl   $0x20002 | \flags
        pushl   $\cs
        pushl   $9f - \cs * 16
        iretl
        .code16
9:
        .endm

        snippet prot, enter_virtual_8086_mode
        to_virtual 0x3200, 0x10
        done    enter_virtual_8086_mode

        .macro  virtual name, flags, instruction:vararg
        snippet prot, \name
        to_virtual \flags
        \instruction
        done    \name
        .endm
        virtual virtual_cli, 0x3200, cli
        virtual virtual_cli_without_privilege, 0x200, cli
        virtual virtual_sti_without_privilege, 0, sti
        virtual virtual_pushf_without_privilege, 0, pushfw
        virtual virtual_popf_without_privilege, 0, popfw
        virtual virtual_iret_without_privilege, 0, iretw
        virtual virtual_int_without_privilege, 0, int $0x30
        virtual virtual_int, 0x3000, int $0x30
        virtual virtual_int_of_another_level, 0x3000, int $0x20
        virtual virtual_int3, 0, int3
        virtual virtual_hlt, 0x3000, hlt
        virtual virtual_lgdt, 0x3000, lgdtw gdtr
        virtual virtual_sldt, 0x3000, sldt %ax
        virtual virtual_arpl, 0x3000, .byte 0x63, 0xc0
        virtual virtual_mov_cr, 0x3000, movl %cr0, %eax
        virtual virtual_smsw, 0, smsw %ax
        virtual virtual_divide_error, 0, divb %bl
        virtual virtual_beyond_the_limit, 0, movw 0xffff, %ax
        virtual virtual_port, 0x3000, inb $0x80, %al; xorw %ax, %ax
        virtual virtual_port_forbidden, 0x3000, movw $0x180, %dx; inb %dx, %al
        virtual virtual_gate_to_ring_1, 0x3000, int $0x36

        snippet prot, virtual_pushf_and_popf
        to_virtual 0x3202
        pushfw
        pushl   $0x247cd7
        popfl
        pushfl
        done    virtual_pushf_and_popf

        snippet prot, virtual_iret
        to_virtual 0x3202
        pushw   $0x0cd7
        pushw   $0x10
        pushw   $1f - 0x100
        iretw
1:      done    virtual_iret

        snippet prot, virtual_segments
        to_virtual 0x3202
        movw    $0x8765, %ax
        movw    %ax, %ds
        movw    %ax, %fs
        pushw   %ax
        popw    %es
        lcall   $0x10, $1f - 0x100
1:      movw    $0x1000, %ax
        movw    %ax, %ss
        done    virtual_segments

        snippet prot, return_to_virtual_8086_mode
        movl    $1f, %eax
        movw    %ax, idt32 + 0x30 * 8
        to_virtual 0x3202
        int     $0x30
        movw    $0x4321, %bx
        jmp     2f
        .code32
1:      movl    %ds, %ecx
        iretl
        .code16
2:      done    return_to_virtual_8086_mode
