# Hardware task switches (SDM 3A chapter 8).

        .code32
task_start:
        movl    %cr0, %ebp
        iretl
        jmp     task_start
        .code16
task_start16:
        movw    $0x77, %ax
        iretw

        snippet prot, jump_to_a_task
        movl    $end__jump_to_a_task, tss_second + 0x20
        ljmp    $TSS_SECOND, $0
        done    jump_to_a_task

        snippet prot, call_a_task_and_return
        lcall   $TSS_SECOND, $0
        done    call_a_task_and_return

        snippet prot, call_through_a_task_gate
        movl    $end__call_through_a_task_gate, tss_second + 0x20
        lcall   $TASK_GATE, $0
        done    call_through_a_task_gate

        snippet prot, task_gate_from_ring_3
        movl    $end__task_gate_from_ring_3, tss_second + 0x20
        to_ring3
        lcall   $TASK_GATE + 3, $0
        done    task_gate_from_ring_3

        snippet prot, task_from_ring_3
        to_ring3
        lcall   $TSS_SECOND + 3, $0
        done    task_from_ring_3

        snippet prot, interrupt_through_a_task_gate
        movl    $end__interrupt_through_a_task_gate, tss_second + 0x20
        to_ring3
        int     $0x32
        done    interrupt_through_a_task_gate

        snippet prot, interrupt_task_returns
        int     $0x32
        done    interrupt_task_returns

        snippet prot, fault_with_an_error_code_through_a_task_gate
        movl    $end__fault_with_an_error_code_through_a_task_gate, tss_second + 0x20
        movl    idt32 + 0x32 * 8, %eax
        movl    %eax, idt32 + 13 * 8
        movl    idt32 + 0x32 * 8 + 4, %eax
        movl    %eax, idt32 + 13 * 8 + 4
        movl    $0x200, %eax
        movw    %ax, %ds
        done    fault_with_an_error_code_through_a_task_gate

        snippet prot, jump_to_a_busy_task
        ljmp    $TSS_BUSY, $0
        done    jump_to_a_busy_task

        snippet prot, interrupt_to_a_busy_task
        int     $0x37
        done    interrupt_to_a_busy_task

        snippet prot, jump_to_an_absent_task
        ljmp    $TSS_ABSENT, $0
        done    jump_to_an_absent_task

        snippet prot, jump_to_a_short_task
        ljmp    $TSS_SHORT, $0
        done    jump_to_a_short_task

        snippet prot, jump_to_a_16_bit_task
        movw    $end__jump_to_a_16_bit_task, tss_16 + 0x0e
        ljmp    $TSS_16, $0
        done    jump_to_a_16_bit_task

        snippet prot, call_a_16_bit_task_and_return
        lcall   $TSS_16, $0
        done    call_a_16_bit_task_and_return

        snippet prot, return_without_a_link
        pushl   $0x4002
        popfl
        iretl
        done    return_without_a_link

        snippet prot, return_to_an_available_task
        movw    $TSS_SECOND, tss_main
        pushl   $0x4002
        popfl
        iretl
        done    return_to_an_available_task

        snippet prot, task_in_ring_3
        movl    $end__task_in_ring_3, tss_second + 0x20
        movw    $USER_CODE32, tss_second + 0x4c
        movw    $USER_DATA, tss_second + 0x50
        movw    $USER_DATA, tss_second + 0x48
        movw    $USER_DATA, tss_second + 0x54
        movw    $USER_DATA, tss_second + 0x5c
        ljmp    $TSS_SECOND, $0
        done    task_in_ring_3

        # a handler that does not depend on segments that could not be loaded (SDM 3A 6.15, vector 10)
        .macro  handle_by_task vector
        movl    $TSS_HANDLER\vector << 16, idt32 + \vector * 8
        movl    $0x8500, idt32 + \vector * 8 + 4
        .endm
        .macro  bad_task name, offset, value
        snippet prot, \name
        handle_by_task 10
        handle_by_task 11
        handle_by_task 12
        movw    $\value, tss_second + \offset
        ljmp    $TSS_SECOND, $0
        done    \name
        .endm
        bad_task task_with_a_bad_ldt, 0x60, DATA32
        bad_task task_with_a_null_ldt_and_bad_code, 0x4c, DATA32
        bad_task task_with_absent_code, 0x4c, ABSENT_CODE
        bad_task task_with_null_code, 0x4c, 0
        bad_task task_with_a_bad_stack, 0x50, READ_ONLY
        bad_task task_with_an_absent_stack, 0x50, ABSENT_STACK
        bad_task task_with_a_null_stack, 0x50, 0
        bad_task task_with_a_bad_data_segment, 0x54, EXECUTE_ONLY
        bad_task task_with_an_absent_data_segment, 0x48, ABSENT_DATA
        bad_task task_with_a_segment_beyond_the_table, 0x5c, 0x200
        bad_task task_with_a_local_ldt, 0x60, 0x7c

        snippet prot, task_in_virtual_8086_mode
        movl    $0x23246, tss_second + 0x24
        movl    $end__task_in_virtual_8086_mode, tss_second + 0x20
        movw    $0, tss_second + 0x4c
        movw    $0x10, tss_second + 0x50
        movw    $0x1234, tss_second + 0x54
        ljmp    $TSS_SECOND, $0
        done    task_in_virtual_8086_mode

        snippet prot, task_ends_local_breakpoints
        movl    $0x7ff, %eax
        movl    %eax, %dr7
        movl    $end__task_ends_local_breakpoints, tss_second + 0x20
        ljmp    $TSS_SECOND, $0
        done    task_ends_local_breakpoints

        snippet prot, task_with_the_trap_bit
        movw    $1, tss_second + 0x64
        ljmp    $TSS_SECOND, $0
        done    task_with_the_trap_bit

        snippet page32, task_loads_cr3
        movl    $end__task_loads_cr3, tss_second + 0x20
        movl    $PD32 + 0x18, tss_second + 0x1c
        ljmp    $TSS_SECOND, $0
        done    task_loads_cr3
