# Page faults, A and D bits (SDM 3A chapter 4). SCRATCH is page 20h; its entry is the snippets' to change.

        .set    ENTRY32, PT32 + 0x20 * 4
        .set    ENTRY64, PT + 0x20 * 8

        .macro  page_fault mode, name, table, entry, instruction:vararg
        snippet \mode, \name
        movl    $\entry, \table
        movl    %cr3, %eax
        movl    %eax, %cr3
        \instruction
        done    \name
        .endm
        page_fault page32, read_of_a_missing_page, ENTRY32, SCRATCH, movl SCRATCH, %ebx
        page_fault page32, write_to_a_missing_page, ENTRY32, SCRATCH, movl %eax, SCRATCH
        page_fault page32, write_to_a_read_only_page, ENTRY32, SCRATCH+5, movl %eax, SCRATCH
        page_fault page32, read_sets_accessed, ENTRY32, SCRATCH+7, movl SCRATCH, %ebx
        page_fault page32, write_sets_dirty, ENTRY32, SCRATCH+7, movl %eax, SCRATCH
        page_fault page32, failed_compare_sets_dirty, ENTRY32, SCRATCH+7, cmpxchgl %ecx, SCRATCH
        page_fault page32, write_into_a_missing_second_page, ENTRY32, SCRATCH, movl %eax, SCRATCH - 2
        page_fault page32, large_page, PD32+4, 0x400087, movl 0x400000, %ebx
        page_fault page32, large_page_with_a_reserved_bit, PD32+4, 0x600087, movl 0x400000, %ebx
        page_fault pae, read_of_a_missing_page_pae, ENTRY64, SCRATCH, movl SCRATCH, %ebx
        page_fault pae, address_bit_above_the_width, ENTRY64+4, 0x100, movl SCRATCH, %ebx
        page_fault pae, ignored_bit_of_long_mode_is_reserved, ENTRY64+4, 0x00100000, movl SCRATCH, %ebx
        page_fault pae, no_execute_read, ENTRY64+4, 0x80000000, movl SCRATCH, %ebx

        snippet pae, no_execute_fetch
        movl    $0x80000000, ENTRY64 + 4
        jmp     *1f
1:      .long   SCRATCH
        done    no_execute_fetch

        snippet pae, pointers_are_read_with_cr3
        movl    $0, PDPT_PAE
        movl    SCRATCH, %ebx           # the registers still hold the old pointer
        movl    %cr3, %eax
        movl    %eax, %cr3
        movl    SCRATCH, %ebx
        done    pointers_are_read_with_cr3

        snippet pae, pointer_with_a_reserved_bit
        orl     $2, PDPT_PAE
        movl    %cr3, %eax
        movl    %eax, %cr3
        done    pointer_with_a_reserved_bit

        .macro  user_fault name, entry, instruction:vararg
        snippet page32, \name
        movl    $\entry, ENTRY32
        movl    %cr3, %eax
        movl    %eax, %cr3
        to_ring3
        \instruction
        done    \name
        .endm
        user_fault user_read_of_a_supervisor_page, SCRATCH+3, movl SCRATCH, %ebx
        user_fault user_write_to_a_supervisor_page, SCRATCH+3, movl %eax, SCRATCH
        user_fault user_write_to_a_read_only_page, SCRATCH+5, movl %eax, SCRATCH
        user_fault user_read, SCRATCH+7, movl SCRATCH, %ebx
        user_fault user_push_on_a_missing_page, SCRATCH, movl $SCRATCH+0x1000, %esp; pushl %eax

        snippet page32, write_protect_off
        movl    $SCRATCH+5, ENTRY32
        movl    %cr0, %eax
        andl    $0xfffeffff, %eax
        movl    %eax, %cr0
        movl    %eax, SCRATCH
        done    write_protect_off

        snippet page32, supervisor_fetch_of_a_user_page
        movl    %cr4, %eax
        orl     $0x100000, %eax
        movl    %eax, %cr4              # SMEP: the next instruction lies on a user page
        nop
        done    supervisor_fetch_of_a_user_page

        snippet page32, supervisor_read_of_a_user_page
        movl    PD32, %eax
        andl    $~4, PT32 + 8 * 4       # code, stacks and tables become the supervisor's
        andl    $~4, PT32 + 9 * 4
        andl    $~4, PT32 + 10 * 4
        andl    $~4, PT32 + 11 * 4
        andl    $~4, PT32 + 12 * 4
        andl    $~4, PT32 + 13 * 4
        andl    $~4, PT32 + 14 * 4
        andl    $~4, PT32 + 15 * 4
        andl    $~4, PT32
        andl    $~4, PT32 + 4
        andl    $~4, PT32 + 5 * 4
        andl    $~4, PT32 + 6 * 4
        andl    $~4, PT32 + 7 * 4
        andl    $~4, PT32 + 0x14 * 4
        andl    $~4, PT32 + 0x15 * 4
        movl    %cr4, %eax
        orl     $0x200000, %eax
        movl    %eax, %cr4              # SMAP
        stac
        movl    SCRATCH, %ebx
        clac
        movl    SCRATCH, %ebx
        done    supervisor_read_of_a_user_page

        snippet page32, fault_in_delivery_is_a_double_fault
        movl    $0x30000, %esp
        movl    $0, PT32 + 0x2f * 4
        movl    %cr3, %eax
        movl    %eax, %cr3
        movl    $0x0, idt32 + 8 * 8 + 4
        movw    $0x8500, idt32 + 8 * 8 + 4
        movl    $TSS_SECOND << 16, idt32 + 8 * 8
        movl    $end__fault_in_delivery_is_a_double_fault, tss_second + 0x20
        pushl   %eax
        done    fault_in_delivery_is_a_double_fault

        snippet page32, global_page_survives_cr3
        movl    %cr4, %eax
        orl     $0x80, %eax
        movl    %eax, %cr4
        orl     $0x100, ENTRY32
        movl    SCRATCH, %ebx
        movl    $0, ENTRY32
        movl    %cr3, %eax
        movl    %eax, %cr3
        movl    SCRATCH, %ebx
        invlpg  SCRATCH
        movl    SCRATCH, %ebx
        done    global_page_survives_cr3

        snippet page32, alignment_check
        movl    %cr0, %eax
        orl     $0x40000, %eax
        movl    %eax, %cr0
        to_ring3 0x40202
        movl    SCRATCH + 2, %ebx
        done    alignment_check
