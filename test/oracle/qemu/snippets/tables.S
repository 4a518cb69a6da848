# Descriptor tables and task-state segments. Busy bits, and accessed bits of ring 0's data, start clear, so that who sets them shows.
# Those of code are set: QEMU never sets them.

        .macro  descriptor base, limit, access, flags
        .word   (\limit) & 0xffff
        .word   (\base) & 0xffff
        .byte   ((\base) >> 16) & 0xff, \access, ((\flags) << 4) | (((\limit) >> 16) & 15), ((\base) >> 24) & 0xff
        .endm
        .macro  gate offset, selector, access, count=0
        .word   \offset, \selector
        .byte   \count, \access
        .word   0
        .endm

        .set    tss_main, 0x1000
        .set    tss_second, 0x1300
        .set    tss_16, 0x1400
        .set    ldt, 0x1480
        .set    tss_handler10, 0x1600
        .set    tss_handler11, 0x1680
        .set    tss_handler12, 0x1700

        .org    0x800
gdt:    .quad   0
        .set    CODE32, 0x08
        descriptor 0, 0xfffff, 0x9b, 0xc
        .set    DATA32, 0x10
        descriptor 0, 0xfffff, 0x92, 0xc
        .set    CODE16, 0x18
        descriptor 0, 0xffff, 0x9b, 0x0
        .set    DATA16, 0x20
        descriptor 0, 0xffff, 0x93, 0x0
        .set    CODE64, 0x28
        descriptor 0, 0xfffff, 0x9b, 0xa
        .set    USER_CODE32, 0x33
        descriptor 0, 0xfffff, 0xfb, 0xc
        .set    USER_DATA, 0x3b
        descriptor 0, 0xfffff, 0xf3, 0xc
        .set    USER_CODE64, 0x43
        descriptor 0, 0xfffff, 0xfb, 0xa
        .set    TSS_MAIN, 0x48
        descriptor tss_main, 0x2ff, 0x89, 0x0
        .set    TSS_SECOND, 0x50
        descriptor tss_second, 0x67, 0x89, 0x0
        .set    TSS_16, 0x58
        descriptor tss_16, 0x2b, 0x81, 0x0
        .set    TASK_GATE, 0x60
        gate    0, TSS_SECOND, 0xe5
        .set    CALL_GATE32, 0x68
        gate    gate_target32, CODE32, 0xec, 2
        .set    CALL_GATE16, 0x70
        gate    gate_target16, CODE16, 0xe4, 1
        .set    LDT, 0x78
        descriptor ldt, 0x1f, 0x82, 0x0
        .set    ABSENT_DATA, 0x80
        descriptor 0, 0xfffff, 0x12, 0xc
        .set    READ_ONLY, 0x88
        descriptor 0, 0xfffff, 0x90, 0xc
        .set    EXPAND_DOWN, 0x90
        descriptor 0, 0xfff, 0x96, 0x4
        .set    CONFORMING, 0x98
        descriptor 0, 0xfffff, 0x9f, 0xc
        .set    EXECUTE_ONLY, 0xa0
        descriptor 0, 0xfffff, 0x98, 0xc
        .set    TSS_BUSY, 0xa8
        descriptor tss_second, 0x67, 0x8b, 0x0
        .set    SMALL_DATA, 0xb0
        descriptor SCRATCH, 0xfff, 0x92, 0x4
        .set    TSS_SHORT, 0xb8
        descriptor tss_second, 0x66, 0x89, 0x0
        .set    ABSENT_CODE, 0xc0
        descriptor 0, 0xfffff, 0x1a, 0xc
        .set    RING1_CODE, 0xc9
        descriptor 0, 0xfffff, 0xbb, 0xc
        .set    RING1_DATA, 0xd1
        descriptor 0, 0xfffff, 0xb3, 0xc
        .set    SMALL_CODE, 0xd8
        descriptor 0, 0x7fff, 0x9b, 0x4
        .set    TSS_64, 0xe0
        descriptor tss_main, 0x2ff, 0x89, 0x0
        .quad   0
        .set    CALL_GATE64, 0xf0
        gate    gate_target64, CODE64, 0xec
        .quad   0
        .set    TSS_ABSENT, 0x100
        descriptor tss_second, 0x67, 0x09, 0x0
        .set    ABSENT_STACK, 0x108
        descriptor 0, 0xfffff, 0x12, 0xc
        .set    USER_CONFORMING, 0x113
        descriptor 0, 0xfffff, 0xff, 0xc
        .set    GATE_INNER_ABSENT, 0x118
        gate    gate_target32, ABSENT_CODE, 0xec, 0
        .set    TSS_HANDLER10, 0x120
        descriptor tss_handler10, 0x67, 0x89, 0x0
        .set    TSS_HANDLER11, 0x128
        descriptor tss_handler11, 0x67, 0x89, 0x0
        .set    TSS_HANDLER12, 0x130
        descriptor tss_handler12, 0x67, 0x89, 0x0
        .set    GDT_END, 0x138
        .org    0x980
gdtr:   .word   GDT_END - 1
        .long   gdt, 0
idtr32: .word   64 * 8 - 1
        .long   idt32, 0
idtr64: .word   64 * 16 - 1
        .long   idt64, 0

        # vectors 30h and 31h (interrupt and trap gate) may be called from ring 3, 32h is a task gate, 33h a 16-bit gate
        .org    0xa00
idt32:  .set    vector, 0
        .rept   64
        .if     vector == 0x30
        gate    stubs+vector*2, CODE32, 0xee
        .elseif vector == 0x31
        gate    stubs+vector*2, CODE32, 0xef
        .elseif vector == 0x32
        gate    0, TSS_SECOND, 0xe5
        .elseif vector == 0x33
        gate    stubs+vector*2, CODE16, 0xe6
        .elseif vector == 0x34
        gate    stubs+vector*2, ABSENT_CODE, 0xee
        .elseif vector == 0x35
        gate    stubs+vector*2, CODE32, 0x6e
        .elseif vector == 0x36
        gate    stubs+vector*2, CONFORMING, 0xee
        .elseif vector == 0x37
        gate    0, TSS_BUSY, 0xe5
        .elseif vector == 3 || vector == 4 || vector == 1
        gate    stubs+vector*2, CODE32, 0xee
        .else
        gate    stubs+vector*2, CODE32, 0x8e
        .endif
        .set    vector, vector + 1
        .endr
        # 31h: a trap gate; 32h: on IST1; 33h: not canonical
        .org    0xc00
idt64:  .set    vector, 0
        .rept   64
        .if     vector == 0x30
        gate    stubs+vector*2, CODE64, 0xee
        .quad   0
        .elseif vector == 0x31
        gate    stubs+vector*2, CODE64, 0xef
        .quad   0
        .elseif vector == 0x32
        gate    stubs+vector*2, CODE64, 0xee, 1
        .quad   0
        .elseif vector == 0x33
        gate    stubs+vector*2, CODE64, 0xee
        .quad   0x12345678
        .elseif vector == 0x34
        gate    stubs+vector*2, CODE32, 0xee
        .quad   0
        .elseif vector == 0x35
        gate    stubs+vector*2, CODE64, 0x6e
        .quad   0
        .else
        gate    stubs+vector*2, CODE64, 0x8e
        .quad   0
        .endif
        .set    vector, vector + 1
        .endr

        .org    tss_main                # fields of the 64-bit format stand where the 32-bit one has its own
        .long   0
        .long   INNER_STACK, DATA32, INNER_STACK - 0x100, RING1_DATA, 0, 0
        .org    0x1024
        .quad   IST_STACK
        .org    0x1066
        .word   0x68
        .fill   0x20, 1, 0              # ports 0-FFh are allowed
        .fill   0x20, 1, 0xff           # 100h-1FFh are not
        .org    tss_second
        .long   0
        .long   INNER_STACK - 0x400, DATA32, 0, 0, 0, 0
        .long   PD32                    # CR3
        .long   task_start, 0x246       # EIP, EFLAGS
        .long   0x1001, 0x1002, 0x1003, 0x1004, USER_STACK, 0x1006, 0x1007, 0x1008
        .long   DATA32, CODE32, DATA32, DATA32, 0, DATA32
        .long   LDT
        .word   0, 0x68
        .org    tss_16
        .word   0
        .word   INNER_STACK, DATA16, 0, 0, 0, 0
        .word   task_start16, 0x3046
        .word   1, 2, 3, 4, USER_STACK, 6, 7, 8
        .word   DATA16, CODE16, DATA16, DATA16
        .word   LDT
        .org    ldt
        .quad   0
        .set    LDT_DATA, 0x0c
        descriptor SCRATCH, 0xffff, 0x92, 0x4
        .set    LDT_CODE, 0x14
        descriptor 0, 0xfffff, 0x9b, 0xc
        .set    LDT_USER_DATA, 0x1f
        descriptor 0, 0xfffff, 0xf3, 0xc
        .org    0x1500
ivt_pointer:                            # real mode: a limit that ends behind vector 7
        .word   0x1f
        .long   0
        .macro  handler_task where, vector
        .org    \where
        .long   0, INNER_STACK - 0x400, DATA32, 0, 0, 0, 0, 0
        .long   stubs + \vector * 2, 2
        .long   0, 0, 0, 0, INNER_STACK - 0x600, 0, 0, 0
        .long   DATA32, CODE32, DATA32, DATA32, DATA32, DATA32
        .long   0, 0x680000
        .endm
        handler_task tss_handler10, 10
        handler_task tss_handler11, 11
        handler_task tss_handler12, 12
