/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions that do nothing, with a site at their beginning: a no-op, a call, a jump.
 * Each is also reached through nine others, since a return that is foretold wrongly may
 * spoil those further out.
 */
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
	DEEP	untraced
	DEEP	shared
	DEEP	slot
	DEEP	called

	/* A slot stub as it would be if its site could only call it. */
called_slot:
	addq	$8, %rsp
	jmp	rtrace_slot_1

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
