/* The loops of the benchmark, called as a function. ITERATIONS and one LOOP_ name come from the command line. */
#include "registers.h"
    .text
    .globl workload
workload:
    push BX
    push SI
    push DI
    push BP
    mov $ITERATIONS, COUNT
#if defined(LOOP_alu)
1:  add BX, AX
    xor AX, BX
    lea 5(AX,CX,2), CX
    sub CX, DX
    rol $7, SI
    add DX, SI
    and SI, DI
    or $1, DI
    shr $3, AX
    add DI, AX
    dec COUNT
    jnz 1b
#elif defined(LOOP_memory)
/* load, add, store over 4 MiB */
1:  mov $ARENA, DI
    mov $(0x400000 / WORD), %ecx
2:  mov (DI), AX
    add CX, AX
    mov AX, (DI)
    add $WORD, DI
    dec %ecx
    jnz 2b
    dec COUNT
    jnz 1b
#elif defined(LOOP_random)
/* loads at random places of 32 MiB */
    mov $12345, %eax
1:  imul $1103515245, %eax, %eax
    add $12345, %eax
    mov %eax, %edx
    shr $7, %edx
    and $0x1FFFFF8, %edx
    add ARENA(DX), BX
    dec COUNT
    jnz 1b
#elif defined(LOOP_fib)
    mov $ITERATIONS, DI
    call fib
#elif defined(LOOP_sieve)
/* primes below 1 Mi, one byte each */
0:  mov $ARENA, DI
    mov $0x100000, %ecx
    mov $1, %eax
    rep stosb
    mov $2, %esi
1:  cmpb $0, ARENA(SI)
    je 3f
    lea (SI,SI), %edx
2:  cmp $0x100000, %edx
    jae 3f
    movb $0, ARENA(DX)
    add %esi, %edx
    jmp 2b
3:  inc %esi
    cmp $0x100000, %esi
    jb 1b
    dec COUNT
    jnz 0b
#elif defined(LOOP_collatz)
1:  mov COUNT, AX
2:  cmp $1, AX
    je 4f
    test $1, %al
    jnz 3f
    shr $1, AX
    inc BX
    jmp 2b
3:  lea 1(AX,AX,2), AX
    inc BX
    jmp 2b
4:  dec COUNT
    jnz 1b
#elif defined(LOOP_copy)
/* 64 KiB set and copied by string instructions */
1:  mov $ARENA, DI
    mov $(0x10000 / 4), %ecx
    mov $0x55555555, %eax
    rep stosl
    mov $ARENA, SI
    mov $(ARENA + 0x100000), DI
    mov $(0x10000 / 4), %ecx
    rep movsl
    dec COUNT
    jnz 1b
#elif defined(LOOP_sse2)
    mov $ARENA, DI
1:  movdqu (DI), %xmm0
    paddd %xmm1, %xmm0
    pxor %xmm0, %xmm2
    pshufd $0x1B, %xmm2, %xmm1
    movdqu %xmm0, 16(DI)
    dec COUNT
    jnz 1b
#elif defined(LOOP_double)
/* a dot product with scalar SSE2: what compilers make of floating point */
    mov $ARENA, DI
    mov $3, %eax
    cvtsi2sd %eax, %xmm1
    movsd %xmm1, (DI)
    movsd %xmm1, %xmm3
1:  movsd (DI), %xmm0
    mulsd %xmm1, %xmm0
    addsd %xmm0, %xmm2
    divsd %xmm3, %xmm1
    addsd %xmm3, %xmm1
    dec COUNT
    jnz 1b
#elif defined(LOOP_x87)
    fninit
    mov $ARENA, DI
    fld1
    fldpi
    fstpl (DI)
1:  fldl (DI)
    fmul %st(1), %st
    fadd %st, %st(1)
    fld1
    fdivrp %st, %st(1)
    fstpl 8(DI)
    dec COUNT
    jnz 1b
    fstp %st(0)
#elif defined(LOOP_program)
    call program
#else
#error no LOOP_ name
#endif
    pop BP
    pop DI
    pop SI
    pop BX
    ret
#if defined(LOOP_fib)
fib:
    cmp $2, %edi
    jb 1f
    push DI
    dec %edi
    call fib
    pop DI
    push AX
    sub $2, %edi
    call fib
    pop DX
    add DX, AX
    ret
1:  mov %edi, %eax
    ret
#endif
    .section .note.GNU-stack, "", @progbits
