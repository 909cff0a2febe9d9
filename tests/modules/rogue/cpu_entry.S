/* SPDX-License-Identifier: GPL-2.0 */
/* Where rt_rogue_cpu leads CPUs: nothing is theirs to use yet but the flags, which were put aside. */
#include <linux/linkage.h>
#include <asm/asm-offsets.h>
#include <asm/unwind_hints.h>

	.text
SYM_CODE_START(rogue_system_call)
	UNWIND_HINT_ENTRY
	ENDBR
	lock incq rogue_entered(%rip)
	ANNOTATE_RETPOLINE_SAFE
	jmp	*rogue_system_call_goes_on(%rip)
SYM_CODE_END(rogue_system_call)

SYM_CODE_START(rogue_gate)
	UNWIND_HINT_IRET_REGS
	ENDBR
	lock incq rogue_entered(%rip)
	iretq
SYM_CODE_END(rogue_gate)
