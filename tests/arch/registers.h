/*
 * registers.h - a function in assembly that fills every register which the ABI
 * calls callee-saved, makes one call, and tells what they hold afterwards; and
 * an entry function that tells its stack pointer. No compiler can do either.
 *
 *     void registers_across(uint64_t out[REGISTERS],
 *                           const uint64_t in[REGISTERS],
 *                           void (*call)(void *a, void *b), void *a, void *b);
 *
 * Included once a program: it defines them.
 */
#ifndef TESTS_ARCH_REGISTERS_H
#define TESTS_ARCH_REGISTERS_H

#include <stdint.h>

#if defined(__x86_64__)

/* rbx, rbp, r12 .. r15. At entry the return address lies at a multiple of 16
 * less 8. */
enum { REGISTERS = 6, SP_AT_ENTRY = 8 };

__asm__(".text\n"
        ".globl registers_across\n"
        ".type registers_across, @function\n"
        "registers_across:\n"
        "    pushq %rbx\n"
        "    pushq %rbp\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    pushq %rdi\n"
        "    movq 0(%rsi), %rbx\n"
        "    movq 8(%rsi), %rbp\n"
        "    movq 16(%rsi), %r12\n"
        "    movq 24(%rsi), %r13\n"
        "    movq 32(%rsi), %r14\n"
        "    movq 40(%rsi), %r15\n"
        "    movq %rcx, %rdi\n"
        "    movq %r8, %rsi\n"
        "    callq *%rdx\n"
        "    popq %rdi\n"
        "    movq %rbx, 0(%rdi)\n"
        "    movq %rbp, 8(%rdi)\n"
        "    movq %r12, 16(%rdi)\n"
        "    movq %r13, 24(%rdi)\n"
        "    movq %r14, 32(%rdi)\n"
        "    movq %r15, 40(%rdi)\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbp\n"
        "    popq %rbx\n"
        "    ret\n"
        ".size registers_across, . - registers_across\n"
        ".globl entry_probe\n"
        ".type entry_probe, @function\n"
        "entry_probe:\n"
        "    movq %rsp, (%rdi)\n"
        "    jmp entry_probed\n"
        ".size entry_probe, . - entry_probe\n");

#elif defined(__aarch64__)

/* x19 .. x29, d8 .. d15. */
enum { REGISTERS = 19, SP_AT_ENTRY = 0 };

__asm__(".text\n"
        ".globl registers_across\n"
        ".type registers_across, %function\n"
        "registers_across:\n"
        "    stp x29, x30, [sp, #-176]!\n"
        "    stp x19, x20, [sp, #16]\n"
        "    stp x21, x22, [sp, #32]\n"
        "    stp x23, x24, [sp, #48]\n"
        "    stp x25, x26, [sp, #64]\n"
        "    stp x27, x28, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    str x0, [sp, #160]\n"
        "    ldp x19, x20, [x1]\n"
        "    ldp x21, x22, [x1, #16]\n"
        "    ldp x23, x24, [x1, #32]\n"
        "    ldp x25, x26, [x1, #48]\n"
        "    ldp x27, x28, [x1, #64]\n"
        "    ldr x29, [x1, #80]\n"
        "    ldp d8, d9, [x1, #88]\n"
        "    ldp d10, d11, [x1, #104]\n"
        "    ldp d12, d13, [x1, #120]\n"
        "    ldp d14, d15, [x1, #136]\n"
        "    mov x0, x3\n"
        "    mov x1, x4\n"
        "    blr x2\n"
        "    ldr x9, [sp, #160]\n"
        "    stp x19, x20, [x9]\n"
        "    stp x21, x22, [x9, #16]\n"
        "    stp x23, x24, [x9, #32]\n"
        "    stp x25, x26, [x9, #48]\n"
        "    stp x27, x28, [x9, #64]\n"
        "    str x29, [x9, #80]\n"
        "    stp d8, d9, [x9, #88]\n"
        "    stp d10, d11, [x9, #104]\n"
        "    stp d12, d13, [x9, #120]\n"
        "    stp d14, d15, [x9, #136]\n"
        "    ldp x19, x20, [sp, #16]\n"
        "    ldp x21, x22, [sp, #32]\n"
        "    ldp x23, x24, [sp, #48]\n"
        "    ldp x25, x26, [sp, #64]\n"
        "    ldp x27, x28, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    ldp x29, x30, [sp], #176\n"
        "    ret\n"
        ".size registers_across, . - registers_across\n"
        ".globl entry_probe\n"
        ".type entry_probe, %function\n"
        "entry_probe:\n"
        "    hint #34\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    b entry_probed\n"
        ".size entry_probe, . - entry_probe\n");

#elif defined(__riscv) && defined(__riscv_float_abi_double)

/* s0 .. s11, fs0 .. fs11. */
enum { REGISTERS = 24, SP_AT_ENTRY = 0 };

/* s0 and fs0 lie at the same places in the frame (above 16) as in the arrays,
 * so one list of registers serves all four ways. */
#define EACH(op, fop, base, at) \
    "    " op " s0, " at "+0(" base ")\n" \
    "    " op " s1, " at "+8(" base ")\n" \
    "    " op " s2, " at "+16(" base ")\n" \
    "    " op " s3, " at "+24(" base ")\n" \
    "    " op " s4, " at "+32(" base ")\n" \
    "    " op " s5, " at "+40(" base ")\n" \
    "    " op " s6, " at "+48(" base ")\n" \
    "    " op " s7, " at "+56(" base ")\n" \
    "    " op " s8, " at "+64(" base ")\n" \
    "    " op " s9, " at "+72(" base ")\n" \
    "    " op " s10, " at "+80(" base ")\n" \
    "    " op " s11, " at "+88(" base ")\n" \
    "    " fop " fs0, " at "+96(" base ")\n" \
    "    " fop " fs1, " at "+104(" base ")\n" \
    "    " fop " fs2, " at "+112(" base ")\n" \
    "    " fop " fs3, " at "+120(" base ")\n" \
    "    " fop " fs4, " at "+128(" base ")\n" \
    "    " fop " fs5, " at "+136(" base ")\n" \
    "    " fop " fs6, " at "+144(" base ")\n" \
    "    " fop " fs7, " at "+152(" base ")\n" \
    "    " fop " fs8, " at "+160(" base ")\n" \
    "    " fop " fs9, " at "+168(" base ")\n" \
    "    " fop " fs10, " at "+176(" base ")\n" \
    "    " fop " fs11, " at "+184(" base ")\n"

__asm__(".text\n"
        ".globl registers_across\n"
        ".type registers_across, @function\n"
        "registers_across:\n"
        "    addi sp, sp, -208\n"
        "    sd ra, 0(sp)\n"
        "    sd a0, 8(sp)\n" EACH("sd", "fsd", "sp", "16")
            EACH("ld", "fld", "a1",
                 "0") "    mv a0, a3\n"
                      "    mv a1, a4\n"
                      "    jalr a2\n"
                      "    ld t0, 8(sp)\n" EACH("sd", "fsd", "t0", "0") EACH(
                          "ld", "fld", "sp",
                          "16") "    ld ra, 0(sp)\n"
                                "    addi sp, sp, 208\n"
                                "    ret\n"
                                ".size registers_across, . - registers_across\n"
                                ".globl entry_probe\n"
                                ".type entry_probe, @function\n"
                                "entry_probe:\n"
                                "    sd sp, 0(a0)\n"
                                "    tail entry_probed\n"
                                ".size entry_probe, . - entry_probe\n");

#else
#define REGISTERS_UNKNOWN
#endif

#if !defined(REGISTERS_UNKNOWN)
void registers_across(uint64_t out[REGISTERS], const uint64_t in[REGISTERS],
                      void (*call)(void *a, void *b), void *a, void *b);
/* Writes its stack pointer to *arg and goes on as entry_probed(arg), which the
 * includer defines and must not make static. */
void entry_probe(void *arg);
void entry_probed(void *arg);
#endif

#endif
