# Rings: IRET, RETF, call gates, interrupts (SDM 3A 5.8, 6.12).

gate_target32:
        .code32
        movl    %esp, %ebp
        movl    8(%esp), %esi
        lret    $8
gate_target16:
        .code16
        movw    %sp, %bp
        lretw   $2
gate_target64:
        .code64
        movq    %rsp, %rbp
        lretq

        # data segments of ring 0 would be dropped on the way: DS and ES get ring 3's
        .macro  to_ring3 flags=0x202
        .code32
        movl    $USER_DATA, %eax
        movw    %ax, %ds
        movw    %ax, %es
        xorl    %eax, %eax
        pushl   $USER_DATA
        pushl   $USER_STACK
        pushl   $\flags
        pushl   $USER_CODE32
        pushl   $9f
        iretl
9:
        .endm

        snippet prot, iret_to_ring_3
        to_ring3 0x247fd7 ^ 0x4100
        done    iret_to_ring_3

        snippet prot, iret_drops_inner_segments
        movl    $CONFORMING, %eax
        movw    %ax, %fs
        movl    $USER_DATA, %eax
        movw    %ax, %gs
        to_ring3
        done    iret_drops_inner_segments

        snippet prot, int_from_ring_3
        to_ring3
        int     $0x30
        done    int_from_ring_3

        snippet prot, trap_gate_from_ring_3
        to_ring3
        int     $0x31
        done    trap_gate_from_ring_3

        snippet prot, gate_of_another_level
        to_ring3
        int     $0x20
        done    gate_of_another_level

        snippet prot, gate_16_from_ring_3
        to_ring3
        int     $0x33
        done    gate_16_from_ring_3

        snippet prot, gate_to_absent_code
        int     $0x34
        done    gate_to_absent_code

        snippet prot, absent_gate
        int     $0x35
        done    absent_gate

        snippet prot, gate_to_conforming_code
        to_ring3
        int     $0x36
        done    gate_to_conforming_code

        snippet prot, vector_beyond_the_idt
        int     $0x80
        done    vector_beyond_the_idt

        snippet prot, int3_from_ring_3
        to_ring3
        int3
        done    int3_from_ring_3

        snippet prot, privileged_in_ring_3
        to_ring3
        cli
        done    privileged_in_ring_3

        snippet prot, popf_in_ring_3
        to_ring3 0x1202
        pushl   $0x247fd7 ^ 0x4300
        popfl
        done    popf_in_ring_3

        snippet prot, port_allowed_by_the_map
        to_ring3
        inb     $0x80, %al
        xorl    %eax, %eax
        done    port_allowed_by_the_map

        snippet prot, port_forbidden_by_the_map
        to_ring3
        movl    $0x180, %edx
        inb     %dx, %al
        done    port_forbidden_by_the_map

        snippet prot, ports_over_the_edge_of_the_map
        to_ring3
        movl    $0xfd, %edx
        inl     %dx, %eax
        done    ports_over_the_edge_of_the_map

        snippet prot, call_gate_with_parameters
        to_ring3
        pushl   $0x11111111
        pushl   $0x22222222
        lcall   $CALL_GATE32 + 3, $0
        done    call_gate_with_parameters

        snippet prot, call_gate_16
        ljmp    $CODE16, $1f
        .code16
1:      pushw   $0x1111
        lcall   $CALL_GATE16, $0
        done    call_gate_16

        snippet prot, call_gate_same_level
        lcall   $CALL_GATE32, $0
        done    call_gate_same_level

        snippet prot, call_gate_to_absent_code
        lcall   $GATE_INNER_ABSENT, $0
        done    call_gate_to_absent_code

        snippet prot, call_gate_without_an_inner_stack
        movw    $USER_DATA, tss_main + 8
        to_ring3
        lcall   $CALL_GATE32 + 3, $0
        done    call_gate_without_an_inner_stack

        snippet prot, far_jump_to_data
        ljmp    $DATA32, $0
        done    far_jump_to_data

        snippet prot, far_jump_to_absent_code
        ljmp    $ABSENT_CODE, $0
        done    far_jump_to_absent_code

        snippet prot, far_jump_to_inner_code
        to_ring3
        ljmp    $CODE32, $0
        done    far_jump_to_inner_code

        snippet prot, far_jump_to_conforming_code
        to_ring3
        ljmp    $CONFORMING, $1f
1:      done    far_jump_to_conforming_code

        snippet prot, far_jump_beyond_the_limit
        ljmp    $SMALL_CODE, $0x9000
        done    far_jump_beyond_the_limit

        snippet prot, far_jump_to_null
        ljmp    $0, $0
        done    far_jump_to_null

        snippet prot, far_return_to_ring_3
        pushl   $USER_DATA
        pushl   $USER_STACK
        pushl   $0x12345678
        pushl   $USER_CODE32
        pushl   $1f
        lret    $4
1:      done    far_return_to_ring_3

        snippet prot, far_return_to_an_inner_level
        to_ring3
        pushl   $CODE32
        pushl   $1f
        lret
1:      done    far_return_to_an_inner_level

        snippet prot, far_return_to_a_null_stack
        pushl   $0
        pushl   $USER_STACK
        pushl   $USER_CODE32
        pushl   $1f
        lret
1:      done    far_return_to_a_null_stack

        snippet prot, iret_to_16_bit_code
        pushl   $0x46
        pushl   $CODE16
        pushl   $1f
        iretl
        .code16
1:      done    iret_to_16_bit_code

        snippet prot, iret_to_ring_1
        pushl   $RING1_DATA
        pushl   $USER_STACK
        pushl   $0x3202
        pushl   $RING1_CODE
        pushl   $1f
        iretl
1:      cli
        done    iret_to_ring_1

        snippet prot, interrupt_without_an_inner_stack
        movw    $ABSENT_STACK, tss_main + 8
        to_ring3
        int     $0x30
        done    interrupt_without_an_inner_stack

        snippet prot, interrupt_beyond_the_task_segment
        ljmp    $CODE32, $1f
1:      andb    $0x70, gdt + TSS_MAIN
        movb    $0x89, gdt + TSS_MAIN + 5
        movb    $0, gdt + TSS_MAIN + 1
        movb    $5, gdt + TSS_MAIN
        movl    $TSS_MAIN, %eax
        ltr     %ax
        to_ring3
        int     $0x30
        done    interrupt_beyond_the_task_segment

        snippet prot, sysenter_and_sysexit
        movl    $0x174, %ecx
        movl    $CODE32, %eax
        wrmsr
        incl    %ecx
        movl    $INNER_STACK, %eax
        wrmsr
        incl    %ecx
        movl    $1f, %eax
        wrmsr
        to_ring3
        sysenter
1:      done    sysenter_and_sysexit
