# Real mode.

        snippet real, int_and_iret
        sti
        int     $0x10
        done    int_and_iret

        snippet real, far_call_and_return
        lcall   $0x0010, $1f - 0x100
        movw    $0x1234, %ax
        jmp     2f
1:      movw    %cs, %bx
        lret
2:      done    far_call_and_return

        snippet real, word_at_ffff_is_beyond_the_limit
        movw    0xffff, %ax
        done    word_at_ffff_is_beyond_the_limit

        snippet real, stack_word_at_0_wraps
        movw    $0, %sp
        pushw   $0x1234
        done    stack_word_at_0_wraps

        snippet real, iret_loads_flags
        pushw   $0x7fd7
        pushw   $0
        pushw   $1f
        iretw
1:      done    iret_loads_flags

        snippet real, iretd_keeps_vif_vip_vm
        pushl   $0x3f7fd7 ^ 0x100
        pushl   $0
        pushl   $1f
        iretl
1:      done    iretd_keeps_vif_vip_vm

        snippet real, popfl
        pushl   $0x247cd7
        popfl
        pushfl
        done    popfl

        snippet real, divide_error_pushes_the_instruction
        movw    $0x80, %ax
        divb    %bl
        done    divide_error_pushes_the_instruction

        snippet real, vector_beyond_the_table
        lidtw   ivt_pointer
        int     $8
        done    vector_beyond_the_table

        snippet real, segment_load_keeps_the_limit
        movw    $0x1234, %ax
        movw    %ax, %es
        movw    %ax, %fs
        les     SCRATCH_POINTER, %bx
        lss     SCRATCH_POINTER, %sp
        done    segment_load_keeps_the_limit

        snippet real, protected_instructions_are_undefined
        sldt    %ax
        done    protected_instructions_are_undefined

        snippet real, lar_is_undefined
        lar     %ax, %bx
        done    lar_is_undefined

        snippet real, lmsw_enters_protected_mode
        lgdtl   gdtr
        lidtl   idtr32
        movw    $0xf, %ax
        lmsw    %ax
        smsw    %bx
        ljmpl   $CODE32, $1f
        .code32
1:      smsw    %ecx
        done    lmsw_enters_protected_mode

        snippet real, lock_on_a_register
        .byte   0xf0, 0x01, 0xc0        # lock add %ax, %ax
        done    lock_on_a_register

        snippet real, lock_on_mov
        .byte   0xf0, 0x89, 0x07        # lock mov %ax, (%bx)
        done    lock_on_mov

        snippet real, sixteen_bytes
        .fill   14, 1, 0x66
        movw    %ax, %ax
        done    sixteen_bytes

        snippet real, bound
        movw    $5, SCRATCH_POINTER
        movw    $9, SCRATCH_POINTER + 2
        movw    $10, %ax
        bound   %ax, SCRATCH_POINTER
        done    bound

        snippet real, into
        movb    $0x7f, %al
        addb    $1, %al
        into
        done    into

        .set    SCRATCH_POINTER, 0x1580
