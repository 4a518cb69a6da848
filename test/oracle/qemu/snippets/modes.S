# From reset into the mode of a snippet. General registers are 0 in the end.

        .code16
start:  cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %fs
        movw    %ax, %gs
        movl    $STACK, %esp
        jmp     *0x604

        .macro  clear_general
        xorl    %eax, %eax
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        .endm

        .globl  mode_real
mode_real:
        clear_general
        jmp     *0x600

        .macro  enter_protected
        lgdtl   gdtr
        lidtl   idtr32
        movl    %cr0, %eax
        andl    $0x9fffffff, %eax       # caches on
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $CODE32, $9f
        .code32
9:      movw    $DATA32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %fs
        movw    %ax, %gs
        movl    $STACK, %esp
        .endm
        .macro  start_protected
        movw    $TSS_MAIN, %ax
        ltr     %ax
        clear_general
        jmp     *0x600
        .endm

        .code16
        .globl  mode_prot
mode_prot:
        enter_protected
        start_protected

        .code16
        .globl  mode_page32
mode_page32:
        enter_protected
        movl    $PD32, %eax
        movl    %eax, %cr3
        movl    $0x10, %eax             # 4 MiB pages
        movl    %eax, %cr4
        movl    %cr0, %eax
        orl     $0x80010000, %eax
        movl    %eax, %cr0
        start_protected

        .code16
        .globl  mode_pae
mode_pae:
        enter_protected
        movl    $PDPT_PAE, %eax
        movl    %eax, %cr3
        movl    $0x20, %eax
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx
        movl    $0x800, %eax            # NXE
        xorl    %edx, %edx
        wrmsr
        movl    %cr0, %eax
        orl     $0x80010000, %eax
        movl    %eax, %cr0
        start_protected

        .code16
        .globl  mode_long
mode_long:
        enter_protected
        movl    $PML4, %eax
        movl    %eax, %cr3
        movl    $0x620, %eax            # PAE, OSFXSR, OSXMMEXCPT
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx
        movl    $0x901, %eax            # SCE LME NXE
        xorl    %edx, %edx
        wrmsr
        movl    %cr0, %eax
        orl     $0x80010000, %eax
        movl    %eax, %cr0
        ljmpl   $CODE64, $1f
        .code64
1:      lidt    idtr64
        movw    $TSS_64, %ax
        ltr     %ax
        clear_general
        movl    %eax, 0x604             # the jump reads eight bytes
        jmp     *0x600
