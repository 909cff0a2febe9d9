/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions that do nothing, with a site at their beginning: a no-op, a call, a jump.
 * Each is also reached through nine others, since a return that is foretold wrongly may
 * spoil those further out.
 */
#include "halves.h"

.macro FUNCTION name:req site:vararg
	.balign	16
	.globl	\name
\name:
	.globl	\name\()_site
\name\()_site:
	\site
	ret
.endm

.macro DEEP name:req
	.set	callee, \name
	.irp	depth, 1, 2, 3, 4, 5, 6, 7, 8, 9
	.balign	16
.L\name\()_\depth:
	.if	\depth == 1
	call	\name
	.else
	call	.Lbelow
	.endif
	.set	.Lbelow, .L\name\()_\depth
	nop
	ret
	.endr
	.globl	\name\()_deep
	.balign	16
\name\()_deep:
	call	.Lbelow
	nop
	ret
.endm

	.text
	FUNCTION untraced, .byte 0x0f, 0x1f, 0x44, 0x00, 0x00
	FUNCTION shared, call rtrace_stub
	FUNCTION slot, jmp rtrace_slot_0
	FUNCTION called, call called_slot
	FUNCTION ordered, call ordered_stub
	DEEP	untraced
	DEEP	shared
	DEEP	slot
	DEEP	called
	DEEP	ordered

	/* A slot stub as it would be if its site could only call it. */
called_slot:
	addq	$8, %rsp
	jmp	rtrace_slot_1

	/* The shared stub as it would be if it put the processor's stack in order at its end. */
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
	pushq	$ordered_exit
	pushq	RTRACE_FRAME_IP+8(%rsp)
	ret
.endm
.macro GO_ALONE
	addq	$RTRACE_FRAME_IP, %rsp
	ret
.endm
	.balign	16
ordered_stub:
	FIRST_HALF ordered, find=FIND_IN_TABLE, follow=FOLLOW, again=FOLLOW, alone=GO_ALONE
	nop
ordered_exit:
	SECOND_HALF ordered
	popq	%r11
	call	1f
	int3
1:	movq	%r11, (%rsp)
	ret
	SECOND_HALF_LONG ordered

	/* What static calls are aimed at. */
	.globl	__SCT__rtrace_slot_0
	.set	__SCT__rtrace_slot_0, slot_site + 5
	.globl	__SCT__rtrace_slot_1
	.set	__SCT__rtrace_slot_1, called_site + 5
	.irp	n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.globl	__SCT__rtrace_slot_\n
__SCT__rtrace_slot_\n:
	.endr
	ud2

	.section .note.GNU-stack, "", @progbits
