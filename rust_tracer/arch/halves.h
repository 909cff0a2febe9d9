/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two halves of a stub, as macros: stub.S has the one that all functions share,
 * slot.S those that serve one function each.
 */
#ifndef RUST_TRACER_HALVES_H
#define RUST_TRACER_HALVES_H

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
 * A function is entered: the return to its caller and the address behind the site's call
 * lie on the stack.
 *
 * What only begins to follow the call, only counts, or is filtered, is done at once, in the
 * registers that are free here (%rax, %r10, %r11), as fire/stub/enter.rs does it for all
 * others: so the arguments need not be saved.
 *
 * `find` leaves the site's slot of the table in %rax, or jumps to the label that it is given.
 * `follow` enters the function so that it returns to the second half, `again` does the same
 * from elsewhere; `alone` takes the frame away, and enters it.
 */
.macro FIRST_HALF name:req find:req follow:req again:req alone:req
	subq	$RTRACE_FRAME_IP, %rsp
	incq	PER_CPU_VAR(__preempt_count)
	decl	PER_CPU_VAR(rtrace_turn)
	js	.L\name\()_enter_long

	\find	.L\name\()_enter

	/* The token of who follows the call, if it is open here. */
	movq	RTRACE_SLOT_HOT(%rax), %r11
	movq	%gs:RTRACE_HOT_TOKEN(%r11), %r10
	testq	%r10, %r10
	jz	.L\name\()_enter_closed
	cmpb	$RTRACE_WHAT_FOLLOW, RTRACE_SLOT_WHAT(%rax)
	jne	.L\name\()_enter_slot
	movq	%r10, RTRACE_FRAME_TOKEN(%rsp)

	/* There is room on the task's own stack. */
	movq	PER_CPU_VAR(current_task), %r10
	movq	RTRACE_TASK_STACK(%r10), %r10
	subq	%rsp, %r10
	addq	$RTRACE_ROOM, %r10
	cmpq	$RTRACE_ROOM_USED_MAX, %r10
	ja	.L\name\()_enter

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
	jz	.L\name\()_enter_schedule
	\follow

.L\name\()_enter_schedule:
	SAVE_ARGUMENTS
	call	rtrace_schedule
	RESTORE_ARGUMENTS
	\again

.L\name\()_enter_slot:
	cmpb	$0, RTRACE_SLOT_AT_ONCE(%rax)
	je	.L\name\()_enter_slot_asked

	/* It counts, whatever it is, and the call is not followed. */
	movl	RTRACE_SLOT_DATA(%rax), %r10d
	addq	%gs:RTRACE_HOT_AGGREGATIONS(%r11), %r10
	incq	(%r10)
	movl	RTRACE_SLOT_BLOCK(%rax), %r10d
	addq	%gs:RTRACE_HOT_COUNTERS(%r11), %r10
	incq	RTRACE_BLOCK_FIRED(%r10)
	incq	RTRACE_BLOCK_PROCESSED(%r10)
	incq	%gs:RTRACE_HOT_FIRED(%r11)
.L\name\()_alone:
	decq	PER_CPU_VAR(__preempt_count)
	jz	.L\name\()_alone_schedule
	\alone

.L\name\()_enter_slot_asked:
	/* A predicate on the task's process or thread that does not hold. */
	cmpb	$0, RTRACE_SLOT_RECORDS(%rax)
	jne	.L\name\()_enter_at
	movswq	RTRACE_SLOT_TESTED(%rax), %r10
	cmpq	$RTRACE_SOURCE_NAMED, %r10
	jle	.L\name\()_enter_at
	addq	PER_CPU_VAR(current_task), %r10
	movl	(%r10), %r10d
	subq	RTRACE_SLOT_LOW(%rax), %r10
	cmpq	RTRACE_SLOT_SPAN(%rax), %r10
	jbe	.L\name\()_enter_at
	cmpl	$0, RTRACE_SLOT_ENTERED(%rax)
	jne	.L\name\()_enter_at
	movl	RTRACE_SLOT_BLOCK(%rax), %r10d
	addq	%gs:RTRACE_HOT_COUNTERS(%r11), %r10
	incq	RTRACE_BLOCK_FIRED(%r10)
	incq	RTRACE_BLOCK_FILTERED(%r10)
	incq	%gs:RTRACE_HOT_FIRED(%r11)
	jmp	.L\name\()_alone

.L\name\()_enter_closed:
	/* Nothing at all, while it is being attached or detached. */
	cmpq	$0, %gs:RTRACE_HOT_RUNNING(%r11)
	je	.L\name\()_alone
	jmp	.L\name\()_enter

.L\name\()_alone_schedule:
	SAVE_ARGUMENTS
	call	rtrace_schedule
	RESTORE_ARGUMENTS
	\alone

.L\name\()_enter_at:
	SAVE_ARGUMENTS
	movq	%rsp, %rdi
	movq	%rax, %rsi
	call	rtrace_on_stub_at
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	ja	.L\name\()_enter_saved
	jmp	.L\name\()_entered

.L\name\()_enter:
	SAVE_ARGUMENTS
	movq	%rsp, %rdi
	call	rtrace_on_stub
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	ja	.L\name\()_enter_saved
.L\name\()_entered:
	RESTORE_ARGUMENTS
	jne	.L\name\()_enter_alone
	\again

.L\name\()_enter_alone:
	\alone

.L\name\()_enter_long:
	SAVE_ARGUMENTS
	movl	$RTRACE_STUB_LONG, %eax
.L\name\()_enter_saved:
	movq	%rsp, %rdi
	movq	%rbp, %rsi
	movl	%eax, %edx
	call	rtrace_stub_enter_long
	cmpl	$RTRACE_STUB_FOLLOW, %eax
	jmp	.L\name\()_entered
.endm

/* The function has returned, with the frame on top of the stack. A return is to come next. */
.macro SECOND_HALF name:req
	pushq	%rax
	pushq	%rdx
	leaq	16(%rsp), %rdi
	movq	%rax, %rsi
	incq	PER_CPU_VAR(__preempt_count)
	call	rtrace_on_stub_exit
	testb	%al, %al
	jnz	.L\name\()_exit_long
.L\name\()_exited:
	popq	%rdx
	popq	%rax
	addq	$RTRACE_FRAME_TO, %rsp
.endm

.macro SECOND_HALF_LONG name:req
.L\name\()_exit_long:
	leaq	16(%rsp), %rdi
	movq	8(%rsp), %rsi
	movq	%rbp, %rdx
	call	rtrace_stub_exit_long
	jmp	.L\name\()_exited
.endm

#endif /* RUST_TRACER_HALVES_H */
