    .text
    .globl traced_loop, traced_loop_head, traced_loop_end
traced_loop:
    xorl %eax, %eax
traced_loop_head:
    addq %rdi, %rax
    decq %rdi
    jnz traced_loop_head
traced_loop_end:
    ret

    .globl traced_copy, traced_copy_repeat, traced_copy_end
traced_copy:
    leaq source(%rip), %rsi
    leaq target(%rip), %rdi
    movl $5, %ecx
traced_copy_repeat:
    rep movsb
traced_copy_end:
    ret

    .globl traced_stores, traced_stored, traced_stores_end
traced_stores:
    xorl %eax, %eax
1:  movl %eax, traced_word(%rip)
traced_stored:
    incq %rax
    cmpq %rdi, %rax
    jne 1b
traced_stores_end:
    ret

    .data
    .globl traced_neighbour, traced_word
    .balign 8
traced_neighbour:
    .quad 0
traced_word:
    .long 0
source:
    .ascii "trace"
target:
    .fill 5

    .section .note.GNU-stack, "", @progbits
