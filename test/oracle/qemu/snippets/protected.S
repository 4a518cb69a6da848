# Segmentation of 32-bit protected mode (SDM 3A chapters 3 and 5).

        .macro  load_segment name, selector, segment
        snippet prot, \name
        movl    $\selector, %eax
        movw    %ax, %\segment
        done    \name
        .endm
        load_segment load_read_only, READ_ONLY, ds
        load_segment load_expand_down, EXPAND_DOWN, es
        load_segment load_execute_only, EXECUTE_ONLY, ds
        load_segment load_readable_code, CODE32, gs
        load_segment load_absent, ABSENT_DATA, ds
        load_segment load_beyond_the_table, 0x200, ds
        load_segment load_system, TSS_SECOND, ds
        load_segment load_null, 3, ds
        load_segment load_null_stack, 0, ss
        load_segment load_stack_of_another_level, USER_DATA, ss
        load_segment load_absent_stack, ABSENT_STACK, ss
        load_segment load_code_as_stack, CODE32, ss
        load_segment load_from_no_local_table, LDT_DATA, ds

        snippet prot, local_table
        movl    $LDT, %eax
        lldt    %ax
        sldt    %ebx
        movl    $LDT_DATA, %eax
        movw    %ax, %ds
        movl    $0x55667788, 0x10
        ljmp    $LDT_CODE, $1f
1:      done    local_table

        snippet prot, lldt_of_data
        movl    $DATA32, %eax
        lldt    %ax
        done    lldt_of_data

        snippet prot, ltr_of_a_busy_task
        movl    $TSS_BUSY, %eax
        ltr     %ax
        done    ltr_of_a_busy_task

        snippet prot, ltr_absent
        movl    $TSS_ABSENT, %eax
        ltr     %ax
        done    ltr_absent

        snippet prot, ltr_16
        movl    $TSS_16, %eax
        ltr     %ax
        str     %ebx
        done    ltr_16

        .macro  access name, selector, instruction:vararg
        snippet prot, \name
        movl    $\selector, %eax
        movw    %ax, %ds
        \instruction
        done    \name
        .endm
        access  write_to_read_only, READ_ONLY, movl %eax, SCRATCH
        access  read_within_the_limit, SMALL_DATA, movl 0xffc, %ebx
        access  read_beyond_the_limit, SMALL_DATA, movl 0xffd, %ebx
        access  read_in_the_hole, EXPAND_DOWN, movl 0xfff, %ebx
        access  read_above_the_hole, EXPAND_DOWN, movl 0x1000, %ebx
        access  read_through_null, 0, movl 0, %ebx

        snippet prot, lss_loads_both
        movl    $0x4000, SCRATCH
        movw    $DATA16, SCRATCH + 4
        lss     SCRATCH, %esp
        pushl   $0x11223344
        done    lss_loads_both

        .macro  query name, selector
        snippet prot, \name
        movl    $\selector, %eax
        movl    $-1, %ebx
        movl    $-1, %ecx
        lar     %eax, %ebx
        setz    %dl
        lsl     %eax, %ecx
        setz    %dh
        verr    %ax
        pushfl
        verw    %ax
        pushfl
        xorl    %esi, %esi
        done    \name
        .endm
        query   query_code, CODE32
        query   query_data, DATA32
        query   query_null, 0
        query   query_beyond, 0x1f8
        query   query_tss, TSS_SECOND
        query   query_tss_16, TSS_16
        query   query_task_gate, TASK_GATE
        query   query_call_gate, CALL_GATE32
        query   query_ldt, LDT
        query   query_read_only, READ_ONLY
        query   query_execute_only, EXECUTE_ONLY
        query   query_conforming, CONFORMING
        query   query_absent, ABSENT_DATA
        query   query_inner_rpl, DATA32 + 3
        query   query_user, USER_DATA
        query   query_interrupt_gate, 0x138

        snippet prot, arpl
        movl    $0x10, %eax
        movl    $0x3, %ebx
        arpl    %bx, %ax
        pushfl
        arpl    %bx, %ax
        pushfl
        done    arpl

        snippet prot, lock_list
        movl    $SCRATCH, %ebx
        lock addl %ecx, (%ebx)
        lock btsl $3, (%ebx)
        lock cmpxchg8b (%ebx)
        lock incl (%ebx)
        lock negl (%ebx)
        lock notl (%ebx)
        lock xaddl %eax, (%ebx)
        lock xchgl %eax, (%ebx)
        .byte   0xf0, 0x0f, 0xa3, 0x03  # lock bt %eax, (%ebx)
        done    lock_list

        snippet prot, lock_cmp
        movl    $SCRATCH, %ebx
        .byte   0xf0, 0x39, 0x03
        done    lock_cmp

        snippet prot, sgdt_and_sidt
        sgdt    SCRATCH
        sidt    SCRATCH + 8
        data16 sgdt SCRATCH + 16
        done    sgdt_and_sidt

        snippet prot, instruction_at_the_end_of_its_segment
        movw    $0x9090, 0x7ffe
        ljmp    $SMALL_CODE, $0x7ffe
        done    instruction_at_the_end_of_its_segment

        snippet prot, single_step
        pushfl
        orl     $0x100, (%esp)
        popfl
        nop
        done    single_step

        snippet prot, icebp
        .byte   0xf1
        done    icebp

        snippet prot, int3
        int3
        done    int3

        snippet prot, general_detect
        movl    $0x2400, %eax
        movl    %eax, %dr7
        movl    %dr0, %ebx
        done    general_detect

        snippet prot, debug_registers_read_back
        movl    $-1, %eax
        movl    %eax, %dr0
        movl    $0xffff27ff, %eax
        xorl    $0x2000, %eax
        xorl    %ecx, %ecx
        movl    %ecx, %dr6
        movl    %dr6, %ecx
        movl    %dr0, %edx
        done    debug_registers_read_back

        snippet prot, hlt_in_ring_3
        pushl   $USER_DATA
        pushl   $USER_STACK
        pushl   $0x202
        pushl   $USER_CODE32
        pushl   $1f
        iretl
1:      hlt
        done    hlt_in_ring_3
