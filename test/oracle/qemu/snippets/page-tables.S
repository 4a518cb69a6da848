# Identity maps of the first 2 MiB (4 KiB pages) and 2 to 4 MiB (one large page), user, writable; A and D clear.

        .macro  identity from, count, size
        .set    page, \from
        .rept   \count
        .if     \size == 8
        .quad   (page << 12) | 7
        .else
        .long   (page << 12) | 7
        .endif
        .set    page, page + 1
        .endr
        .endm

        .org    PML4
        .quad   PDPT | 7
        .org    PDPT
        .quad   PD | 7
        .org    PD
        .quad   PT | 7, 0x200087
        .org    PT
        identity 0, 512, 8
        .org    PD32
        .long   PT32 | 7, 0x400087
        .org    PT32
        identity 0, 1024, 4
        .org    PDPT_PAE
        .quad   PD_PAE | 1, 0, 0, 0
        .org    PD_PAE
        .quad   PT | 7, 0x200087
