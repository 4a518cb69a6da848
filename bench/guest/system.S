/* Workloads of the privileged kind, 64-bit code only: ITERATIONS system calls, page faults, switches between two address
   spaces, or interrupts between two processors there and back. One LOOP_ name comes from the command line. */
    .set CODE, 0x08
    .set DATA, 0x10
    .set USER_BASE, 0x18 /* SYSRET: SS = base + 8, CS = base + 16 (SDM 2B SYSRET) */
    .set USER_DATA, 0x23
    .set USER_CODE, 0x2B
    .set TSS, 0x30
    .set APIC, 0xFEE00000
    .set WINDOW, 0x40000000 /* pages that come and go, in the second GiB */
    .set PAGES, 64
    .set TRAMPOLINE, 0x8000

    .text
    .code64
    .globl workload
workload:
    push %rbx
    push %rbp
    mov %rsp, kernel_stack
    lidt idt_pointer
    mov $0xFF, %al /* the firmware's timer stays masked */
    out %al, $0x21
    out %al, $0xA1
#if defined(LOOP_syscall)
    call enable_syscall
    mov $user_loop, %ecx
    mov $user_stack, %esp
    mov $0x202, %r11d
    sysretq
user_loop:
    mov $ITERATIONS, %r9d
1:  xor %eax, %eax
    syscall
    dec %r9d
    jnz 1b
    mov $1, %eax
    syscall

system_call: /* what a kernel does at least: its own stack, the caller's registers saved and restored */
    mov %rsp, user_stack_pointer
    mov kernel_stack, %rsp
    push %rcx
    push %r11
    push %rdi
    push %rsi
    push %rdx
    test %eax, %eax
    jnz finish
    incq calls
    pop %rdx
    pop %rsi
    pop %rdi
    pop %r11
    pop %rcx
    mov user_stack_pointer, %rsp
    sysretq

#elif defined(LOOP_switch)
    /* two processes: the kernel's half of their tables is shared, their own half (the window) is not */
    call enable_syscall
    mov %cr3, %rsi
    mov $space_a, %edi
    call copy_space
    mov $space_b, %edi
    call copy_space
    mov $process_loop, %eax
    mov %eax, process_b + 8
    movl $user_stack, process_b
    mov $process_loop, %ecx
    mov $user_stack, %esp
    mov $0x202, %r11d
    mov $space_a, %eax
    mov %rax, %cr3
    sysretq
process_loop:
    xor %eax, %eax
    syscall
    jmp process_loop

system_call: /* yield: the other process goes on */
    incl calls
    cmpl $ITERATIONS, calls
    je finish
    mov current, %eax
    mov processes(,%rax,8), %rdx
    mov %rsp, (%rdx)
    mov %rcx, 8(%rdx)
    mov %r11, 16(%rdx)
    fxsave64 64(%rdx)
    xor $1, %eax
    mov %eax, current
    mov processes(,%rax,8), %rdx
    mov spaces(,%rax,8), %rcx
    mov %rcx, %cr3
    fxrstor64 64(%rdx)
    mov (%rdx), %rsp
    mov 8(%rdx), %rcx
    mov 16(%rdx), %r11
    sysretq
copy_space: /* %rsi: a level-4 table, %rdi: room for a copy and a level-3 table */
    push %rsi
    push %rdi
    mov $512, %ecx
    rep movsq
    pop %rdi
    lea 0x1000(%rdi), %rax
    mov (%rdi), %rsi
    or $7, %rax
    mov %rax, (%rdi)
    and $~0xFFF, %rsi
    add $0x1000, %rdi
    mov $512, %ecx
    rep movsq
    pop %rsi
    ret

#elif defined(LOOP_pagefault)
    /* a level-2 and a level-1 table for the window */
    mov %cr3, %rax
    mov (%rax), %rax
    and $~0xFFF, %rax
    movq $window_directory + 7, 8(%rax)
    movq $window_table + 7, window_directory
    mov $page_fault, %eax
    mov $14, %ecx
    call set_gate
    mov $ITERATIONS, %ebp
1:  xor %ebx, %ebx
2:  mov %ebx, %eax
    shl $12, %eax
    incl WINDOW(%rax) /* not present: the handler maps it */
    inc %ebx
    cmp $PAGES, %ebx
    jne 2b
3:  dec %ebx
    movq $0, window_table(,%rbx,8)
    mov %ebx, %eax
    shl $12, %eax
    invlpg WINDOW(%rax)
    test %ebx, %ebx
    jnz 3b
    sub $PAGES, %ebp
    ja 1b
    jmp finish
page_fault:
    push %rax
    push %rdx
    mov %cr2, %rax
    sub $WINDOW, %rax
    shr $12, %rax
    mov %rax, %rdx
    shl $12, %rdx
    add $0x1000003, %rdx
    mov %rdx, window_table(,%rax,8)
    pop %rdx
    pop %rax
    add $8, %rsp
    iretq

#elif defined(LOOP_ipi)
    /* the other processor answers each interrupt with one; both wait in HLT */
    mov %cr3, %rax
    mov (%rax), %rax
    and $~0xFFF, %rax
    movq $apic_directory + 3, 24(%rax)
    mov $(APIC + 0x9B), %edx
    mov %rdx, apic_directory + (APIC >> 21 & 511) * 8
    mov $APIC, %r8d
    mov $ping, %eax
    mov $0x40, %ecx
    call set_gate
    mov $pong, %eax
    mov $0x41, %ecx
    call set_gate
    mov $trampoline, %esi
    mov $TRAMPOLINE, %edi
    mov $(trampoline_end - trampoline), %ecx
    rep movsb
    movl $0x1FF, 0xF0(%r8) /* software enable, spurious vector FFh (SDM 3A 11.9) */
    movl $0xC4500, 0x300(%r8) /* INIT to all but self */
    call wait
    movl $(0xC4600 | TRAMPOLINE >> 12), 0x300(%r8) /* SIPI */
    call wait
1:  pause
    cmpl $0, ready
    je 1b
    mov $ITERATIONS, %ebp
2:  cli
    movl $0xC4040, 0x300(%r8) /* vector 40h to all but self */
    incl sent
3:  mov received, %eax
    cmp sent, %eax
    je 4f
    sti
    hlt
    cli
    jmp 3b
4:  dec %ebp
    jnz 2b
    jmp finish
ping: /* on the second processor */
    movl $0, 0xB0(%r8)
    movl $0xC4041, 0x300(%r8)
    iretq
pong:
    incl received
    movl $0, 0xB0(%r8)
    iretq
wait:
    mov $100000, %ecx
1:  pause
    loop 1b
    ret
second:
    lidt idt_pointer
    mov $APIC, %r8d
    movl $0x1FF, 0xF0(%r8)
    movl $1, ready
    sti
1:  hlt
    jmp 1b
    .code16
trampoline:
    cli
    xor %ax, %ax
    mov %ax, %ds
    lgdtl TRAMPOLINE + trampoline_gdt - trampoline
    mov $1, %eax
    mov %eax, %cr0
    ljmpl $0x08, $(TRAMPOLINE + protected - trampoline)
    .code32
protected:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %ss
    mov $0x620, %eax
    mov %eax, %cr4
    mov $map4, %eax
    mov %eax, %cr3
    mov $0xC0000080, %ecx
    mov $0x100, %eax
    xor %edx, %edx
    wrmsr
    mov $0x80000033, %eax
    mov %eax, %cr0
    lgdt wide_gdt
    ljmp $CODE, $second_wide
    .balign 8
trampoline_segments:
    .quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF
trampoline_gdt:
    .word 23
    .long TRAMPOLINE + trampoline_segments - trampoline
trampoline_end:
wide_gdt:
    .word 0x3F
    .long gdt
    .code64
second_wide:
    mov $second_stack, %esp
    jmp second
#else
#error no LOOP_ name
#endif
finish:
    mov kernel_stack, %rsp
    mov $map4, %eax
    mov %rax, %cr3
    pop %rbp
    pop %rbx
    ret

enable_syscall:
    mov $0xC0000081, %ecx /* STAR */
    xor %eax, %eax
    mov $(USER_BASE | 3) << 16 | CODE, %edx
    wrmsr
    mov $0xC0000082, %ecx /* LSTAR */
#if defined(LOOP_syscall) || defined(LOOP_switch)
    mov $system_call, %eax
#endif
    xor %edx, %edx
    wrmsr
    mov $0xC0000084, %ecx /* FMASK: interrupts off */
    mov $0x200, %eax
    wrmsr
    ret
set_gate: /* %rax: handler, %rcx: vector; an interrupt gate */
    shl $4, %ecx
    mov %ax, idt(%rcx)
    movw $CODE, idt + 2(%rcx)
    movw $0x8E00, idt + 4(%rcx)
    shr $16, %eax
    mov %ax, idt + 6(%rcx)
    ret

    .data
    .balign 8
idt_pointer:
    .word 0xFFF
    .quad idt
calls: .quad 0
current: .quad 0
processes: .quad process_a, process_b
spaces: .quad space_a, space_b
ready: .long 0
sent: .long 0
received: .long 0
    .bss
    .balign 4096
idt: .skip 4096
space_a: .skip 8192
space_b: .skip 8192
window_directory: .skip 4096
window_table: .skip 4096
apic_directory: .skip 4096
    .balign 64
process_a: .skip 640
process_b: .skip 640
kernel_stack: .skip 8
user_stack_pointer: .skip 8
    .skip 4096
user_stack: .skip 4096
second_stack: .skip 16
    .section .note.GNU-stack, "", @progbits
