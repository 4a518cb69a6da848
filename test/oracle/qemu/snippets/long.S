# 64-bit mode.

        .macro  to_ring3_64 flags=0x202
        .code64
        pushq   $USER_DATA
        pushq   $USER_STACK
        pushq   $\flags
        pushq   $USER_CODE64
        pushq   $9f
        iretq
9:
        .endm

        snippet long, iretq_to_ring_3
        to_ring3_64 0x247fd7 ^ 0x4100
        done    iretq_to_ring_3

        snippet long, int_from_ring_3_in_64_bits
        to_ring3_64
        int     $0x30
        done    int_from_ring_3_in_64_bits

        snippet long, trap_gate_in_64_bits
        to_ring3_64
        int     $0x31
        done    trap_gate_in_64_bits

        snippet long, interrupt_stack_table
        movl    $STACK - 3, %esp
        int     $0x32
        done    interrupt_stack_table

        snippet long, stack_is_aligned
        movl    $STACK - 3, %esp
        int     $0x30
        done    stack_is_aligned

        snippet long, gate_to_32_bit_code
        int     $0x34
        done    gate_to_32_bit_code

        snippet long, absent_gate_in_64_bits
        int     $0x35
        done    absent_gate_in_64_bits

        snippet long, vector_beyond_the_idt_in_64_bits
        int     $0x80
        done    vector_beyond_the_idt_in_64_bits

        snippet long, call_gate_in_64_bits
        to_ring3_64
        lcall   *1f
1:      .long   0
        .word   CALL_GATE64 + 3
        done    call_gate_in_64_bits

        snippet long, call_gate_in_64_bits_and_back
        lcall   *1f
        jmp     2f
1:      .long   0
        .word   CALL_GATE64
2:      done    call_gate_in_64_bits_and_back

        snippet long, to_compatibility_mode
        pushq   $USER_DATA
        pushq   $USER_STACK
        pushq   $0x202
        pushq   $USER_CODE32
        pushq   $1f
        iretq
        .code32
1:      movl    $-1, %eax
        incl    %eax
        done    to_compatibility_mode

        snippet long, int_from_compatibility_mode
        pushq   $USER_DATA
        pushq   $USER_STACK
        pushq   $0x202
        pushq   $USER_CODE32
        pushq   $1f
        iretq
        .code32
1:      int     $0x30
        done    int_from_compatibility_mode

        .macro  set_star
        movl    $0xc0000081, %ecx
        xorl    %eax, %eax
        movl    $0x00300028, %edx
        wrmsr
        incl    %ecx
        movl    $7f, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $0xc0000084, %ecx
        movl    $0x300, %eax
        wrmsr
        .endm

        snippet long, syscall_from_ring_3
        set_star
        to_ring3_64 0x246
        syscall
7:      done    syscall_from_ring_3

        snippet long, syscall_and_sysret
        set_star
        to_ring3_64 0x246
        syscall
        jmp     end__syscall_and_sysret
7:      sysretq
        done    syscall_and_sysret

        snippet long, sysret_to_32_bit_code
        set_star
        movl    $7f, %ecx
        movl    $0x246, %r11d
        sysretl
7:      done    sysret_to_32_bit_code

        snippet long, non_canonical_read
        movabsq $0x8000000000000000, %rax
        movq    (%rax), %rbx
        done    non_canonical_read

        snippet long, non_canonical_stack
        movabsq $0x8000000000000000, %rsp
        pushq   %rax
        done    non_canonical_stack

        snippet long, non_canonical_through_rbp
        movabsq $0x8000000000000000, %rbp
        movq    (%rbp), %rbx
        done    non_canonical_through_rbp

        snippet long, non_canonical_jump
        movabsq $0x8000000000000000, %rax
        jmp     *%rax
        done    non_canonical_jump

        snippet long, null_stack_in_ring_0
        xorl    %eax, %eax
        movw    %ax, %ss
        pushq   $0
        pushq   $STACK
        pushq   $2
        pushq   $CODE64
        pushq   $1f
        iretq
1:      done    null_stack_in_ring_0

        snippet long, null_stack_in_ring_3
        pushq   $3
        pushq   $USER_STACK
        pushq   $2
        pushq   $USER_CODE64
        pushq   $1f
        iretq
1:      done    null_stack_in_ring_3

        snippet long, iret_with_nt
        pushq   $0x4002
        popfq
        iretq
        done    iret_with_nt

        snippet long, task_switch_is_gone
        ljmp    *1f
1:      .long   0
        .word   TSS_SECOND
        done    task_switch_is_gone

        snippet long, swapgs
        movl    $0xc0000102, %ecx
        movl    $0x12345678, %eax
        movl    $0x7fff, %edx
        wrmsr
        swapgs
        done    swapgs

        snippet long, non_canonical_base
        movl    $0xc0000100, %ecx
        movl    $0x8000, %edx
        wrmsr
        done    non_canonical_base

        snippet long, page_fault_in_64_bits
        movq    $0, PT + 0x20 * 8
        movq    %cr3, %rax
        movq    %rax, %cr3
        movq    %rax, SCRATCH
        done    page_fault_in_64_bits

        snippet long, reserved_bit_in_64_bits
        movl    $0x100, PT + 0x20 * 8 + 4
        movq    SCRATCH, %rax
        done    reserved_bit_in_64_bits

        snippet long, ignored_bit_in_64_bits
        movl    $0x00100000, PT + 0x20 * 8 + 4
        movq    SCRATCH, %rax
        done    ignored_bit_in_64_bits

        snippet long, reserved_bit_in_the_top_level
        orl     $0x80, PML4
        movq    %cr3, %rax
        movq    %rax, %cr3
        done    reserved_bit_in_the_top_level

        snippet long, user_mode_instruction_prevention
        movl    $0xe20, %eax
        movq    %rax, %cr4
        sldt    %ebx
        to_ring3_64
        sldt    %ecx
        done    user_mode_instruction_prevention

        snippet long, fs_gs_base
        movl    $0x10620, %eax
        movq    %rax, %cr4
        movabsq $0x7fff12345678, %rax
        wrfsbase %rax
        rdfsbase %rbx
        wrgsbase %rbx
        rdgsbase %rcx
        done    fs_gs_base

        snippet long, lar_and_lsl_in_64_bits
        movl    $TSS_64, %eax
        lar     %eax, %ebx
        setz    %dl
        movl    $TASK_GATE, %eax
        lar     %eax, %esi
        setz    %dh
        movl    $CALL_GATE64, %eax
        lsl     %eax, %edi
        setz    %cl
        movl    $TSS_16, %eax
        lar     %eax, %r8d
        setz    %ch
        xorl    %eax, %eax
        done    lar_and_lsl_in_64_bits

        snippet long, ltr_in_64_bits
        movl    $TSS_64, %eax
        movb    $0x89, gdt + TSS_64 + 5
        ltr     %ax
        str     %ebx
        done    ltr_in_64_bits

        snippet long, leave_long_mode
        ljmp    *1f
1:      .long   2f
        .word   CODE32
        .code32
2:      movl    %cr0, %eax
        andl    $0x7fffffff, %eax
        movl    %eax, %cr0
        done    leave_long_mode
