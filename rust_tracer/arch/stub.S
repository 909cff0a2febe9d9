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
 * The function is entered by a return, which needs no ENDBR there.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/unwind_hints.h>

#include "stub.h"
#include "stub_offsets.h"

.macro SAVE_ARGUMENTS
	movq	%rdi, RTRACE_FRAME_DI(%rsp)
	movq	%rsi, RTRACE_FRAME_SI(%rsp)
	movq	%rdx, RTRACE_FRAME_DX(%rsp)
	movq	%rcx, RTRACE_FRAME_CX(%rsp)
	movq	%r8, RTRACE_FRAME_R8(%rsp)
	movq	%r9, RTRACE_FRAME_R9(%rsp)
.endm

/* The frame begins so many bytes above the top of the stack. */
.macro RESTORE_ARGUMENTS above=0
	movq	RTRACE_FRAME_R9+\above(%rsp), %r9
	movq	RTRACE_FRAME_R8+\above(%rsp), %r8
	movq	RTRACE_FRAME_CX+\above(%rsp), %rcx
	movq	RTRACE_FRAME_DX+\above(%rsp), %rdx
	movq	RTRACE_FRAME_SI+\above(%rsp), %rsi
	movq	RTRACE_FRAME_DI+\above(%rsp), %rdi
.endm

/*
 * To what else would have been called at the site, or else into the function,
 * with the address to return to on top of the stack.
 */
.macro GO_ON
	testb	$1, %al
	jnz	.Ljump\@
	pushq	%r10
	testq	%rax, %rax
	jz	.Lfunction\@
	pushq	%rax
	RET
.Lfunction\@:
	RET
.Ljump\@:
	decq	%rax
	pushq	%rax
	RET
.endm

	.text

/*
 * A function is entered, by a call of its site that is nobody else's.
 *
 * What only begins to follow the call, only counts, or is filtered, is done at once, in the
 * registers that are free here (%rax, %r10, %r11), as fire/stub.rs does it for all
 * others: so the arguments need not be saved.
 */
SYM_CODE_START(rtrace_stub)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	subq	$RTRACE_FRAME_IP, %rsp
	incq	PER_CPU_VAR(__preempt_count)
	decl	PER_CPU_VAR(rtrace_turn)
	js	.Lenter_long

	/* The site's slot in the table. */
	movq	rtrace_stubbed(%rip), %r10
	testq	%r10, %r10
	jz	.Lenter
	movq	RTRACE_FRAME_IP(%rsp), %r11
	leaq	-RTRACE_CALL_BYTES*RTRACE_SLOT_SPREAD(,%r11,RTRACE_SLOT_SPREAD), %rax
	andq	RTRACE_TABLE_MASK(%r10), %rax
	addq	RTRACE_TABLE_SLOTS(%r10), %rax
	subq	$RTRACE_CALL_BYTES, %r11
	cmpq	%r11, RTRACE_SLOT_SITE(%rax)
	jne	.Lenter

	/* The token of who follows the call, if it is open here. */
	movq	RTRACE_SLOT_HOT(%rax), %r11
	movq	%gs:RTRACE_HOT_TOKEN(%r11), %r10
	testq	%r10, %r10
	jz	.Lenter_closed
	cmpb	$RTRACE_WHAT_FOLLOW, RTRACE_SLOT_WHAT(%rax)
	jne	.Lenter_slot
	movq	%r10, RTRACE_FRAME_TOKEN(%rsp)

	/* There is room on the task's own stack. */
	movq	PER_CPU_VAR(current_task), %r10
	movq	RTRACE_TASK_STACK(%r10), %r10
	subq	%rsp, %r10
	addq	$RTRACE_ROOM, %r10
	cmpq	$RTRACE_ROOM_USED_MAX, %r10
	ja	.Lenter

	movq	%gs:RTRACE_HOT_COUNTERS(%r11), %r11
	movl	RTRACE_SLOT_ENTERED(%rax), %eax
	incq	RTRACE_BLOCK_FOLLOWED(%r11,%rax)
	incq	PER_CPU_VAR(rtrace_frames)
	movq	%rdx, %r10
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, RTRACE_FRAME_TIME(%rsp)
	movq	%r10, %rdx
	decq	PER_CPU_VAR(__preempt_count)
	jz	.Lenter_schedule
	pushq	$rtrace_stub_exit
	pushq	RTRACE_FRAME_IP+8(%rsp)
	RET

.Lenter_schedule:
	SAVE_ARGUMENTS
	call	rtrace_schedule
	RESTORE_ARGUMENTS
	pushq	$rtrace_stub_exit
	pushq	RTRACE_FRAME_IP+8(%rsp)
	RET

.Lenter_slot:
	cmpb	$0, RTRACE_SLOT_AT_ONCE(%rax)
	je	.Lenter_slot_asked

	/* It counts, whatever it is, and the call is not followed. */
	movl	RTRACE_SLOT_DATA(%rax), %r10d
	addq	%gs:RTRACE_HOT_AGGREGATIONS(%r11), %r10
	incq	(%r10)
	movl	RTRACE_SLOT_BLOCK(%rax), %r10d
	addq	%gs:RTRACE_HOT_COUNTERS(%r11), %r10
	incq	RTRACE_BLOCK_FIRED(%r10)
	incq	RTRACE_BLOCK_PROCESSED(%r10)
	incq	%gs:RTRACE_HOT_FIRED(%r11)
.Lalone:
	decq	PER_CPU_VAR(__preempt_count)
	jz	.Lalone_schedule
	addq	$RTRACE_FRAME_IP, %rsp
	RET

.Lenter_slot_asked:
	/* A predicate on the task's process or thread that does not hold. */
	cmpb	$0, RTRACE_SLOT_RECORDS(%rax)
	jne	.Lenter_at
	movswq	RTRACE_SLOT_TESTED(%rax), %r10
	cmpq	$RTRACE_SOURCE_NAMED, %r10
	jle	.Lenter_at
	addq	PER_CPU_VAR(current_task), %r10
	movl	(%r10), %r10d
	subq	RTRACE_SLOT_LOW(%rax), %r10
	cmpq	RTRACE_SLOT_SPAN(%rax), %r10
	jbe	.Lenter_at
	cmpl	$0, RTRACE_SLOT_ENTERED(%rax)
	jne	.Lenter_at
	movl	RTRACE_SLOT_BLOCK(%rax), %r10d
	addq	%gs:RTRACE_HOT_COUNTERS(%r11), %r10
	incq	RTRACE_BLOCK_FIRED(%r10)
	incq	RTRACE_BLOCK_FILTERED(%r10)
	incq	%gs:RTRACE_HOT_FIRED(%r11)
	jmp	.Lalone

.Lenter_closed:
	/* Nothing at all, while it is being attached or detached. */
	cmpq	$0, %gs:RTRACE_HOT_RUNNING(%r11)
	je	.Lalone
	jmp	.Lenter

.Lalone_schedule:
	SAVE_ARGUMENTS
	call	rtrace_schedule
	RESTORE_ARGUMENTS
	addq	$RTRACE_FRAME_IP, %rsp
	RET

.Lenter_at:
	SAVE_ARGUMENTS
	movq	%rsp, %rdi
	movq	%rax, %rsi
	call	rtrace_on_stub_at
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	ja	.Lenter_saved
	jmp	.Lentered

.Lenter:
	SAVE_ARGUMENTS
	movq	%rsp, %rdi
	call	rtrace_on_stub
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	ja	.Lenter_saved
.Lentered:
	RESTORE_ARGUMENTS
	jne	.Lenter_alone
	pushq	$rtrace_stub_exit
	pushq	RTRACE_FRAME_IP+8(%rsp)
	RET

.Lenter_alone:
	addq	$RTRACE_FRAME_IP, %rsp
	RET

.Lenter_long:
	SAVE_ARGUMENTS
	movl	$RTRACE_STUB_LONG, %eax
.Lenter_saved:
	movq	%rsp, %rdi
	movq	%rbp, %rsi
	movl	%eax, %edx
	call	rtrace_stub_enter_long
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	jmp	.Lentered

/*
 * It has returned. An unwinder asks for the address before the one that a
 * function returns to.
 */
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=RTRACE_FRAME_TO+8 type=UNWIND_HINT_TYPE_CALL
	nop
SYM_INNER_LABEL(rtrace_stub_exit, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	pushq	%rax
	pushq	%rdx
	leaq	16(%rsp), %rdi
	movq	%rax, %rsi
	incq	PER_CPU_VAR(__preempt_count)
	call	rtrace_on_stub_exit
	testb	%al, %al
	jnz	.Lexit_long
.Lexited:
	popq	%rdx
	popq	%rax
	addq	$RTRACE_FRAME_TO, %rsp
SYM_INNER_LABEL(rtrace_stub_return, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	RET

.Lexit_long:
	leaq	16(%rsp), %rdi
	movq	8(%rsp), %rsi
	movq	%rbp, %rdx
	call	rtrace_stub_exit_long
	jmp	.Lexited
SYM_CODE_END(rtrace_stub)

/*
 * The same where others are at the site as well: from ftrace_regs_caller, by
 * rtrace_stub_listed(). %r10 is what the site's call would have pushed, and where
 * to go on lies in its place; %rax is what else would have been called directly
 * (bit 0: by a jump), or 0.
 */
SYM_CODE_START(rtrace_stub_shared)
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
	js	.Lshared_long
	leaq	16(%rsp), %rdi
	call	rtrace_on_stub
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	ja	.Lshared_long
.Lshared_entered:
	RESTORE_ARGUMENTS above=16
	popq	%rax
	popq	%r10
	jne	.Lshared_alone
	pushq	$rtrace_stub_exit
	GO_ON

.Lshared_alone:
	/* What the site's call pushed is to be pushed again. */
	addq	$RTRACE_FRAME_IP+8, %rsp
	GO_ON

.Lshared_long:
	leaq	16(%rsp), %rdi
	movq	%rbp, %rsi
	movl	%eax, %edx
	call	rtrace_stub_enter_long
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	jmp	.Lshared_entered
SYM_CODE_END(rtrace_stub_shared)

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
