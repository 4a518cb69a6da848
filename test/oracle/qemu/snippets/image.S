# The image: tables at fixed places, the ways into each mode, then the snippets. Everything but the page tables lies below 64 KiB,
# so that an offset is a linear address in every mode.
#
# A snippet begins with general registers 0, the stack at STACK, and stops at its end or in the stub of an event's vector.

        .set    STACK, 0x7000
        .set    INNER_STACK, 0x6000
        .set    IST_STACK, 0x5800
        .set    USER_STACK, 0x5000
        .set    SCRATCH, 0x20000
        .set    PML4, 0x10000
        .set    PDPT, 0x11000
        .set    PD, 0x12000
        .set    PT, 0x13000
        .set    PD32, 0x14000
        .set    PT32, 0x15000
        .set    PDPT_PAE, 0x16000
        .set    PD_PAE, 0x17000

        .macro  code_real
        .code16
        .endm
        .macro  code_prot
        .code32
        .endm
        .macro  code_page32
        .code32
        .endm
        .macro  code_pae
        .code32
        .endm
        .macro  code_long
        .code64
        .endm
        .macro  snippet mode, name
        .p2align 3
        code_\mode
        .globl  \mode\()__\name
\mode\()__\name:
        .endm
        .macro  done name
        .globl  end__\name
end__\name:
        hlt
        .endm

        .text
        .org    0x0
        .set    vector, 0
        .rept   256
        .if     vector < 64
        .word   stubs + vector * 2, 0
        .else
        .word   stubs + 63 * 2, 0
        .endif
        .set    vector, vector + 1
        .endr

        .org    0x600                   # which snippet, and how to get into its mode
        .long   0, 0

        .include "tables.S"

        .org    0x1a00
        .globl  stubs
stubs:  .rept   64
        hlt
        nop
        .endr

        .org    0x7c00
        .include "modes.S"

        .org    0x8000
        .include "real.S"
        .include "protected.S"
        .include "gates.S"
        .include "tasks.S"
        .include "virtual8086.S"
        .include "paging.S"
        .include "long.S"
        .include "control.S"

        .org    0x10000                 # an error here: the snippets reach 64 KiB
        .include "page-tables.S"
        .org    SCRATCH
        .fill   0x4000, 1, 0
