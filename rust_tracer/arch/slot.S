/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slot stubs: each serves one function at a time, whose site jumps to it. It makes the
 * same frame as the shared stub (stub.S), but
 *
 * - it knows whose it is, and need not look for it in the table;
 * - it calls the rest of the function, which so returns to where it was called. The
 *   processor foretells all returns, since none of them goes elsewhere.
 *
 * The call is a static one, aimed at the function when the stub begins to serve it (see
 * shim/slot.c): a direct call, which needs no ENDBR there.
 *
 *	on arrival		in the function		on its return
 *
 *	the caller's frame	the caller's frame	the caller's frame
 *	return to the caller	return to the caller	return to the caller
 *				struct rtrace_frame	struct rtrace_frame
 *				return to the stub
 *				the function's frame
 */
#include "halves.h"

.macro FIND_SLOT n:req otherwise:req
	movq	rtrace_slot_stubs+RTRACE_SLOT_STUB_BYTES*\n+RTRACE_SLOT_STUB_SLOT(%rip), %rax
	testq	%rax, %rax
	jz	\otherwise
.endm

/* The call itself says in which function it is: the address in the frame is no way back any more. */
.macro FOLLOW_BY_CALL n:req
.Lslot_\n\()_follow:
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=RTRACE_FRAME_TO+8 type=UNWIND_HINT_TYPE_CALL
	call	__SCT__rtrace_slot_\n
.Lslot_\n\()_exit:
	ANNOTATE_NOENDBR
	SECOND_HALF slot_\n
	RET
.endm

.macro FOLLOW_THERE n:req
	jmp	.Lslot_\n\()_follow
.endm

.macro GO_ALONE_BY_JUMP n:req
	addq	$RTRACE_FRAME_IP+8, %rsp
	UNWIND_HINT_FUNC
	jmp	__SCT__rtrace_slot_\n
.endm

.macro SLOT_STUB n:req
SYM_START(rtrace_slot_\n, SYM_L_GLOBAL, .balign 64)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	pushq	rtrace_slot_stubs+RTRACE_SLOT_STUB_BYTES*\n+RTRACE_SLOT_STUB_IP(%rip)
	/* As if the site had called: whoever walks the stack finds the function, as a live patch of it has to. */
	UNWIND_HINT_FUNC
	FIRST_HALF slot_\n, find="FIND_SLOT \n,", follow="FOLLOW_BY_CALL \n", again="FOLLOW_THERE \n", alone="GO_ALONE_BY_JUMP \n"

	SECOND_HALF_LONG slot_\n
SYM_END(rtrace_slot_\n, SYM_T_NONE)

	.pushsection .rodata, "a"
	.quad	rtrace_slot_\n, .Lslot_\n\()_exit
	.popsection
.endm

	.pushsection .rodata, "a"
	.balign	8
SYM_INNER_LABEL(rtrace_slot_texts, SYM_L_GLOBAL)
	.popsection

	.text

	.balign	64
#define SLOT_STUB(n) SLOT_STUB n;
RTRACE_EACH_SLOT_STUB(SLOT_STUB)
SYM_INNER_LABEL(rtrace_slots_end, SYM_L_GLOBAL)
