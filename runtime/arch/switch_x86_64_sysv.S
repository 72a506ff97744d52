/*
 * ABI     System V AMD64 psABI 1.0, section 3.2 (registers and the stack)
 *
 * Frame   what a stack that does not run ends in; offsets in frame.h:
 *
 *           +56  rip   where it goes on
 *           +48  rbp
 *           +40  rbx
 *           +32  r15
 *           +24  r14
 *           +16  r13
 *           + 8  r12
 *           + 4  x87 control word
 *   sp ->   + 0  mxcsr
 *
 * Saved   what the ABI calls callee-saved: rbx, rbp, r12-r15, rsp, and the
 *         control bits of mxcsr and of the x87 unit. The control words are
 *         saved and loaded always: comparing them first was measured slower.
 *
 * Not     the signal mask, segment registers, the shadow stack pointer.
 *
 * Return  by ret, which is predicted to go on behind the newest call. Tasks all
 *         park through one call of this, and mostly through the same functions
 *         above it, so behind the newest call is where the other stack goes
 *         on too, and each frame above pairs with its own call again. A jump
 *         in place of ret is only better (5.3 against 10.3 ns) between two
 *         stacks that call this from different places; since it leaves a call
 *         without its ret, every frame above is mispredicted, and a yield
 *         takes 24.6 ns against 11.0.
 *         Where a task begins the partner is known: a stack's loop, which is
 *         left and entered at one place. uva__switch_to_loop() jumps there, and
 *         uva__switch_from_loop() comes by a jump in place of a call; so the
 *         ret of the second pairs with the call of the first. Spawning and
 *         awaiting a task takes 45 ns so, and 61 by two calls and two rets.
 *         The object claims IBT: ret is not tracked, and the jump goes where
 *         endbr64 stands. It does not claim
 *         SHSTK: shadow stacks are not switched, and a process that enforces
 *         them cannot run this.
 *
 * Unwind  CFI on every instruction, so debuggers and profilers see through a
 *         stack in any state. The entry has no caller: its return address is
 *         undefined, and there a backtrace ends.
 */
#if defined(__x86_64__) && !defined(UVA__SWITCH_UCONTEXT)
#include "frame.h"

        .text

/* The switch but for its last instruction. */
        .macro  SWITCH_STACKS
        leaq    -UVA__FRAME_RIP(%rsp), %rsp  /* room below the return address */
        .cfi_adjust_cfa_offset UVA__FRAME_RIP
        movq    %rbp, UVA__FRAME_RBP(%rsp)   /* save what the caller expects */
        .cfi_rel_offset rbp, UVA__FRAME_RBP
        movq    %rbx, UVA__FRAME_RBX(%rsp)
        .cfi_rel_offset rbx, UVA__FRAME_RBX
        movq    %r15, UVA__FRAME_R15(%rsp)
        .cfi_rel_offset r15, UVA__FRAME_R15
        movq    %r14, UVA__FRAME_R14(%rsp)
        .cfi_rel_offset r14, UVA__FRAME_R14
        movq    %r13, UVA__FRAME_R13(%rsp)
        .cfi_rel_offset r13, UVA__FRAME_R13
        movq    %r12, UVA__FRAME_R12(%rsp)
        .cfi_rel_offset r12, UVA__FRAME_R12
        fnstcw  UVA__FRAME_X87_CW(%rsp)      /* x87 control word */
        stmxcsr UVA__FRAME_MXCSR(%rsp)       /* SSE control word */
        movq    %rsp, (%rdi)                 /* *save_sp = this frame */
        movq    %rsi, %rsp                   /* now on the other stack, */
                                             /* which ends in a frame of */
                                             /* this shape: CFI stays true */
        ldmxcsr UVA__FRAME_MXCSR(%rsp)
        fldcw   UVA__FRAME_X87_CW(%rsp)
        movq    UVA__FRAME_R12(%rsp), %r12   /* load what its caller expects */
        .cfi_restore r12
        movq    UVA__FRAME_R13(%rsp), %r13
        .cfi_restore r13
        movq    UVA__FRAME_R14(%rsp), %r14
        .cfi_restore r14
        movq    UVA__FRAME_R15(%rsp), %r15
        .cfi_restore r15
        movq    UVA__FRAME_RBX(%rsp), %rbx
        .cfi_restore rbx
        movq    UVA__FRAME_RBP(%rsp), %rbp
        .cfi_restore rbp
        leaq    UVA__FRAME_RIP(%rsp), %rsp   /* up to where it goes on */
        .cfi_adjust_cfa_offset -UVA__FRAME_RIP
        .endm

/* int uva__switch(void **save_sp [rdi], void *load_sp [rsi]) */
        .globl  uva__switch
        .hidden uva__switch
        .type   uva__switch, @function
        .align  64
uva__switch:
        .cfi_startproc
        endbr64
        SWITCH_STACKS
        xorl    %eax, %eax
        ret
        .cfi_endproc
        .size   uva__switch, . - uva__switch

/* void uva__switch_to_loop(void **save_sp [rdi], void *load_sp [rsi]) */
        .globl  uva__switch_to_loop
        .hidden uva__switch_to_loop
        .type   uva__switch_to_loop, @function
        .align  64
uva__switch_to_loop:
        .cfi_startproc
        endbr64
        SWITCH_STACKS
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rcx
        jmpq    *%rcx
        .cfi_endproc
        .size   uva__switch_to_loop, . - uva__switch_to_loop

/* The first thing that runs on a stack: calls entry [rbx] with arg [r12]. The
 * switch returns to it with rsp on a multiple of 16, as the ABI wants before a
 * call. */
        .globl  uva__switch_entry
        .hidden uva__switch_entry
        .type   uva__switch_entry, @function
        .align  16
uva__switch_entry:
        .cfi_startproc
        .cfi_undefined rip                   /* nobody called: the end of a */
        .cfi_undefined rbp                   /* backtrace */
        nop                                  /* UVA__ENTRY_SKIP */
        endbr64                              /* uva__switch_to_loop jumps */
        xorl    %ebp, %ebp                   /* frame pointer chains end too */
        movq    %r12, %rdi
        callq   *%rbx
        ud2                                  /* entry must not return */
        .cfi_endproc
        .size   uva__switch_entry, . - uva__switch_entry
#endif

#include "notes.inc"
