/* SPDX-License-Identifier: GPL-2.0 */
/* Where the text leads that rt_rogue_patch has changed: no register but the result's may change. */
#include <linux/linkage.h>
#include <asm/asm-offsets.h>
#include <asm/unwind_hints.h>

	.text
SYM_CODE_START(rogue_answer)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	lock incl rogue_answered(%rip)
	movl	$668, %eax
	RET
SYM_CODE_END(rogue_answer)

SYM_CODE_START(rogue_count)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	lock incl rogue_answered(%rip)
	RET
SYM_CODE_END(rogue_count)
