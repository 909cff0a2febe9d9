/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stub: what a function's ftrace site calls whose calls are followed to their
 * return. It makes a frame (struct rtrace_frame) between those of the caller and
 * of the function, and lets the function return into its own second half:
 *
 *	on arrival		in the function		on its return
 *
 *	the caller's frame	the caller's frame	the caller's frame
 *	return to the caller	return to the caller	return to the caller
 *	return to the site	struct rtrace_frame	struct rtrace_frame
 *				return to the stub
 *				the function's frame
 *
 * All that the second half needs lies in the frame. So the function must find
 * all its arguments in registers; see functions/registers.rs.
 *
 * The function is entered by a return, which needs no ENDBR there. That one is
 * foretold: it goes where the site's call would have returned to. The function's is
 * not, and takes what the processor has kept for the caller's: so a call here gives it
 * something to take for ours, in place of what it has kept for those further out.
 */
#include "halves.h"

/* The site's slot in the table. */
.macro FIND_IN_TABLE otherwise:req
	movq	rtrace_stubbed(%rip), %r10
	testq	%r10, %r10
	jz	\otherwise
	movq	RTRACE_FRAME_IP(%rsp), %r11
	leaq	-RTRACE_CALL_BYTES*RTRACE_SLOT_SPREAD(,%r11,RTRACE_SLOT_SPREAD), %rax
	andq	RTRACE_TABLE_MASK(%r10), %rax
	addq	RTRACE_TABLE_SLOTS(%r10), %rax
	subq	$RTRACE_CALL_BYTES, %r11
	cmpq	%r11, RTRACE_SLOT_SITE(%rax)
	jne	\otherwise
.endm

.macro FOLLOW
	pushq	$rtrace_stub_exit
	pushq	RTRACE_FRAME_IP+8(%rsp)
	RET
.endm

.macro GO_ALONE
	addq	$RTRACE_FRAME_IP, %rsp
	RET
.endm

/* Into the function, or where others at its site have it go on: %r10. */
.macro GO_ON
	pushq	%r10
	RET
.endm

/* To what else would have been called at the site, with that address to return to on top of the stack. */
.macro GO_ON_BY_CALL
	testb	$1, %al
	jnz	.Ljump\@
	pushq	%r10
	pushq	%rax
	RET
.Ljump\@:
	decq	%rax
	pushq	%rax
	RET
.endm

	.text

/* A function is entered, by a call of its site that is nobody else's. */
SYM_CODE_START(rtrace_stub)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	FIRST_HALF stub, find=FIND_IN_TABLE, follow=FOLLOW, again=FOLLOW, alone=GO_ALONE

/*
 * It has returned. An unwinder asks for the address before the one that a
 * function returns to.
 */
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=RTRACE_FRAME_TO+8 type=UNWIND_HINT_TYPE_CALL
	nop
SYM_INNER_LABEL(rtrace_stub_exit, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	SECOND_HALF stub
	ANNOTATE_INTRA_FUNCTION_CALL
	call	.Lin_order
	int3
.Lin_order:
	addq	$8, %rsp
SYM_INNER_LABEL(rtrace_stub_return, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	RET

	SECOND_HALF_LONG stub
SYM_CODE_END(rtrace_stub)

/*
 * The same where others are at the site as well: from ftrace_regs_caller, by
 * rtrace_stub_listed(). %r10 is what the site's call would have pushed, and where
 * to go on lies in its place. %rax is passed on: who overrides the function has its result
 * there.
 */
.macro SHARED name:req go_on:req
SYM_CODE_START(rtrace_stub_\name)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	xchgq	%r10, (%rsp)
	subq	$RTRACE_FRAME_IP, %rsp
	SAVE_ARGUMENTS
	pushq	%r10
	pushq	%rax
	incq	PER_CPU_VAR(__preempt_count)
	decl	PER_CPU_VAR(rtrace_turn)
	movl	$RTRACE_STUB_LONG, %eax
	js	.L\name\()_long
	leaq	16(%rsp), %rdi
	call	rtrace_on_stub
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	ja	.L\name\()_long
.L\name\()_entered:
	RESTORE_ARGUMENTS above=16
	popq	%rax
	popq	%r10
	jne	.L\name\()_alone
	pushq	$rtrace_stub_exit
	\go_on

.L\name\()_alone:
	/* What the site's call pushed is to be pushed again. */
	addq	$RTRACE_FRAME_IP+8, %rsp
	\go_on

.L\name\()_long:
	leaq	16(%rsp), %rdi
	movq	%rbp, %rsi
	movl	%eax, %edx
	call	rtrace_stub_enter_long
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	jmp	.L\name\()_entered
SYM_CODE_END(rtrace_stub_\name)
.endm

	SHARED shared, go_on=GO_ON

/*
 * And where one of them is called directly: %rax is what else would have been called (bit 0:
 * by a jump).
 */
	SHARED direct, go_on=GO_ON_BY_CALL

/*
 * A function is entered whose calls fprobe follows: what ftrace's own trampoline
 * does for an ops, for rtrace_on_call_site().
 */
SYM_CODE_START(rtrace_entry)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	subq	$RTRACE_REGS_BYTES, %rsp
	movq	%rax, RTRACE_REGS_AX(%rsp)
	movq	%rcx, RTRACE_REGS_CX(%rsp)
	movq	%rdx, RTRACE_REGS_DX(%rsp)
	movq	%rsi, RTRACE_REGS_SI(%rsp)
	movq	%rdi, RTRACE_REGS_DI(%rsp)
	movq	%r8, RTRACE_REGS_R8(%rsp)
	movq	%r9, RTRACE_REGS_R9(%rsp)
	movq	%rbp, RTRACE_REGS_BP(%rsp)
	movq	$0, RTRACE_REGS_ORIG_AX(%rsp)
	movq	$0, RTRACE_REGS_CS(%rsp)
	movq	RTRACE_REGS_BYTES(%rsp), %rdi
	movq	%rdi, RTRACE_REGS_IP(%rsp)
	subq	$RTRACE_CALL_BYTES, %rdi
	leaq	RTRACE_REGS_BYTES+8(%rsp), %rsi
	movq	%rsi, RTRACE_REGS_SP(%rsp)
	movq	(%rsi), %rsi
	xorl	%edx, %edx
	movq	%rsp, %rcx
	call	rtrace_on_call_site
	movq	RTRACE_REGS_R9(%rsp), %r9
	movq	RTRACE_REGS_R8(%rsp), %r8
	movq	RTRACE_REGS_DI(%rsp), %rdi
	movq	RTRACE_REGS_SI(%rsp), %rsi
	movq	RTRACE_REGS_DX(%rsp), %rdx
	movq	RTRACE_REGS_CX(%rsp), %rcx
	movq	RTRACE_REGS_AX(%rsp), %rax
	addq	$RTRACE_REGS_BYTES, %rsp
	RET
SYM_CODE_END(rtrace_entry)
