/* The loops of the benchmark. ITERATIONS and one LOOP_ name come from the command line. */
    .code64
    .text
    .globl loop
#if defined(LOOP_alu)
loop:
    movq $ITERATIONS, %r9
1:  addq %rbx, %rax
    xorq %rax, %rbx
    leaq 5(%rax,%rcx,2), %rcx
    subq %rcx, %rdx
    rolq $7, %rsi
    addq %rdx, %rsi
    andq %rsi, %rdi
    orq $1, %rdi
    shrq $3, %r8
    addq %rdi, %r8
    decq %r9
    jnz 1b
    ret
#elif defined(LOOP_memory)
/* load, add, store over 4 MiB */
loop:
    movq $ITERATIONS, %r9
1:  movl $0x1000000, %edi
    movl $0x80000, %ecx
2:  movq (%rdi), %rax
    addq %rcx, %rax
    movq %rax, (%rdi)
    addq $8, %rdi
    decl %ecx
    jnz 2b
    decq %r9
    jnz 1b
    ret
#elif defined(LOOP_random)
/* 8-byte loads at random places of 32 MiB */
loop:
    movq $ITERATIONS, %r9
    movl $12345, %eax
1:  imull $1103515245, %eax, %eax
    addl $12345, %eax
    movl %eax, %edx
    shrl $7, %edx
    andl $0x1FFFFF8, %edx
    addq 0x1000000(%rdx), %rbx
    decq %r9
    jnz 1b
    ret
#elif defined(LOOP_fib)
loop:
    movl $ITERATIONS, %edi
fib:
    cmpl $2, %edi
    jb 1f
    pushq %rdi
    decl %edi
    call fib
    popq %rdi
    pushq %rax
    subl $2, %edi
    call fib
    popq %rdx
    addq %rdx, %rax
    ret
1:  movl %edi, %eax
    ret
#elif defined(LOOP_sieve)
/* primes below 1 Mi, one byte each */
loop:
    movq $ITERATIONS, %r9
0:  movl $0x1000000, %edi
    movl $0x100000, %ecx
    movl $1, %eax
    rep stosb
    movl $2, %esi
1:  cmpb $0, 0x1000000(%rsi)
    je 3f
    leal (%rsi,%rsi), %edx
2:  cmpl $0x100000, %edx
    jae 3f
    movb $0, 0x1000000(%rdx)
    addl %esi, %edx
    jmp 2b
3:  incl %esi
    cmpl $0x100000, %esi
    jb 1b
    decq %r9
    jnz 0b
    ret
#elif defined(LOOP_collatz)
loop:
    movq $ITERATIONS, %r9
1:  movq %r9, %rax
2:  cmpq $1, %rax
    je 4f
    testb $1, %al
    jnz 3f
    shrq $1, %rax
    incq %rbx
    jmp 2b
3:  leaq 1(%rax,%rax,2), %rax
    incq %rbx
    jmp 2b
4:  decq %r9
    jnz 1b
    ret
#elif defined(LOOP_copy)
/* REP MOVSQ of 64 KiB */
loop:
    movq $ITERATIONS, %r9
1:  movl $0x1000000, %esi
    movl $0x1100000, %edi
    movl $0x2000, %ecx
    rep movsq
    decq %r9
    jnz 1b
    ret
#elif defined(LOOP_sse2)
loop:
    movq $ITERATIONS, %r9
    movl $0x1000000, %edi
1:  movdqu (%rdi), %xmm0
    paddd %xmm1, %xmm0
    pxor %xmm0, %xmm2
    pshufd $0x1B, %xmm2, %xmm1
    movdqu %xmm0, 16(%rdi)
    decq %r9
    jnz 1b
    ret
#endif
