# MOV CR, WRMSR EFER: what is refused (SDM 2B MOV, 3A 2.5, 10.8.5).

        .macro  refused mode, name, instructions:vararg
        snippet \mode, \name
        \instructions
        done    \name
        .endm
        refused prot, paging_without_protection, movl $0xe0000010, %eax; movl %eax, %cr0
        refused prot, write_through_without_cache_disable, movl $0x20000011, %eax; movl %eax, %cr0
        refused prot, reserved_bits_of_cr0_are_dropped, movl $0x1ffaffd1, %eax; movl %eax, %cr0
        refused prot, reserved_bit_of_cr4, movl $0x80000000, %eax; movl %eax, %cr4
        refused prot, cr1_does_not_exist, .byte 0x0f, 0x20, 0xc8
        refused prot, pcid_needs_long_mode, movl $0x20000, %eax; movl %eax, %cr4
        refused prot, reserved_bit_of_efer, movl $0xc0000080, %ecx; movl $0x80000000, %eax; wrmsr
        refused prot, unknown_register, movl $0x12345, %ecx; rdmsr
        refused prot, lmsw_does_not_leave_protected_mode, xorl %eax, %eax; lmsw %ax; smsw %ebx
        refused prot, clts, movl $0x19, %eax; movl %eax, %cr0; clts
        refused long, pae_must_stay, xorl %eax, %eax; movq %rax, %cr4
        refused long, paging_must_stay_in_64_bit_code, movq %cr0, %rax; btrq $31, %rax; movq %rax, %cr0
        refused long, long_mode_enable_must_stay, movl $0xc0000080, %ecx; movl $1, %eax; wrmsr
        refused long, cr0_above_32_bits, movabsq $0x180010011, %rax; movq %rax, %cr0
        refused long, cr3_above_the_width, movabsq $0x10000010000, %rax; movq %rax, %cr3
        refused long, cr8_above_15, movl $16, %eax; movq %rax, %cr8
        refused long, dr7_above_32_bits, movabsq $0x100000400, %rax; movq %rax, %dr7
        refused long, undefined_debug_register, movl $0x628, %eax; movq %rax, %cr4; .byte 0x0f, 0x21, 0xe0

        snippet prot, long_mode_without_pae
        movl    $0xc0000080, %ecx
        movl    $0x100, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $PML4, %eax
        movl    %eax, %cr3
        movl    $0x80000011, %eax
        movl    %eax, %cr0
        done    long_mode_without_pae

        snippet prot, control_registers_in_ring_3
        to_ring3
        movl    %cr0, %eax
        done    control_registers_in_ring_3

        snippet prot, rdmsr_in_ring_3
        to_ring3
        rdmsr
        done    rdmsr_in_ring_3

        snippet prot, time_stamp_disabled
        movl    $4, %eax
        movl    %eax, %cr4
        to_ring3
        rdtsc
        done    time_stamp_disabled
