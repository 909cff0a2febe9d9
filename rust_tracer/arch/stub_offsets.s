	.file	"stub_offsets.c"
# GNU C11 (Debian 14.2.0-19) version 14.2.0 (x86_64-linux-gnu)
#	compiled by GNU C version 14.2.0, GMP version 6.3.0, MPFR version 4.2.1, MPC version 1.3.1, isl version isl-0.27-GMP

# warning: MPFR header version 4.2.1 differs from library version 4.2.2.
# GGC heuristics: --param ggc-min-expand=100 --param ggc-min-heapsize=131072
# options passed: -mno-sse -mno-mmx -mno-sse2 -mno-3dnow -mno-avx -mno-sse4a -m64 -mno-80387 -mno-fp-ret-in-387 -mpreferred-stack-boundary=3 -mskip-rax-setup -march=x86-64 -mtune=generic -mno-red-zone -mcmodel=kernel -mstack-protector-guard-reg=gs -mstack-protector-guard-symbol=__ref_stack_chk_guard -mindirect-branch=thunk-extern -mindirect-branch-register -mindirect-branch-cs-prefix -mfunction-return=thunk-extern -mharden-sls=all -mrecord-mcount -mfentry -O2 -std=gnu11 -p -fshort-wchar -funsigned-char -fno-common -fno-PIE -fno-strict-aliasing -fms-extensions -fcf-protection=branch -falign-jumps=1 -falign-loops=1 -fno-asynchronous-unwind-tables -fno-jump-tables -fpatchable-function-entry=16,16 -fno-delete-null-pointer-checks -fno-allow-store-data-races -fstack-protector-strong -ftrivial-auto-var-init=zero -fno-stack-clash-protection -fmin-function-alignment=16 -fstrict-flex-arrays=3 -fno-strict-overflow -fstack-check=no -fconserve-stack -fno-builtin-wcslen
	.text
	.align 16
	.globl	rtrace_stub_offsets
	.section	__patchable_function_entries,"awo",@progbits,.LPFE1734
	.align 8
	.quad	.LPFE1734
	.text
.LPFE1734:
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	nop	
	.type	rtrace_stub_offsets, @function
rtrace_stub_offsets:
	endbr64
1:	call	__fentry__
	.section __mcount_loc, "a",@progbits
	.quad 1b
	.previous
# arch/stub_offsets.c:16: 	OFFSET(RTRACE_TASK_STACK, task_struct, stack);
#APP
# 16 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_TASK_STACK $32 offsetof(struct task_struct, stack)"	#
# 0 "" 2
# arch/stub_offsets.c:17: 	DEFINE(RTRACE_ROOM_USED_MAX, RTRACE_STACK_BYTES - RTRACE_STACK_MARGIN);
# 17 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_ROOM_USED_MAX $6144 RTRACE_STACK_BYTES - RTRACE_STACK_MARGIN"	#
# 0 "" 2
# arch/stub_offsets.c:18: 	DEFINE(RTRACE_ROOM, RTRACE_STACK_BYTES);
# 18 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_ROOM $16384 RTRACE_STACK_BYTES"	#
# 0 "" 2
# arch/stub_offsets.c:19: 	BLANK();
# 19 "arch/stub_offsets.c" 1
	
.ascii "->"
# 0 "" 2
# arch/stub_offsets.c:20: 	OFFSET(RTRACE_FRAME_R9, rtrace_frame, r9);
# 20 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_R9 $16 offsetof(struct rtrace_frame, r9)"	#
# 0 "" 2
# arch/stub_offsets.c:21: 	OFFSET(RTRACE_FRAME_R8, rtrace_frame, r8);
# 21 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_R8 $24 offsetof(struct rtrace_frame, r8)"	#
# 0 "" 2
# arch/stub_offsets.c:22: 	OFFSET(RTRACE_FRAME_TOKEN, rtrace_frame, token);
# 22 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_TOKEN $32 offsetof(struct rtrace_frame, token)"	#
# 0 "" 2
# arch/stub_offsets.c:23: 	OFFSET(RTRACE_FRAME_CX, rtrace_frame, cx);
# 23 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_CX $40 offsetof(struct rtrace_frame, cx)"	#
# 0 "" 2
# arch/stub_offsets.c:24: 	OFFSET(RTRACE_FRAME_DX, rtrace_frame, dx);
# 24 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_DX $48 offsetof(struct rtrace_frame, dx)"	#
# 0 "" 2
# arch/stub_offsets.c:25: 	OFFSET(RTRACE_FRAME_SI, rtrace_frame, si);
# 25 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_SI $56 offsetof(struct rtrace_frame, si)"	#
# 0 "" 2
# arch/stub_offsets.c:26: 	OFFSET(RTRACE_FRAME_DI, rtrace_frame, di);
# 26 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_DI $64 offsetof(struct rtrace_frame, di)"	#
# 0 "" 2
# arch/stub_offsets.c:27: 	OFFSET(RTRACE_FRAME_TIME, rtrace_frame, time);
# 27 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_TIME $72 offsetof(struct rtrace_frame, time)"	#
# 0 "" 2
# arch/stub_offsets.c:28: 	OFFSET(RTRACE_FRAME_IP, rtrace_frame, ip);
# 28 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_IP $80 offsetof(struct rtrace_frame, ip)"	#
# 0 "" 2
# arch/stub_offsets.c:29: 	OFFSET(RTRACE_FRAME_TO, rtrace_frame, to);
# 29 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_FRAME_TO $88 offsetof(struct rtrace_frame, to)"	#
# 0 "" 2
# arch/stub_offsets.c:30: 	BLANK();
# 30 "arch/stub_offsets.c" 1
	
.ascii "->"
# 0 "" 2
# arch/stub_offsets.c:31: 	OFFSET(RTRACE_TABLE_SLOTS, rtrace_table, slots);
# 31 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_TABLE_SLOTS $0 offsetof(struct rtrace_table, slots)"	#
# 0 "" 2
# arch/stub_offsets.c:32: 	OFFSET(RTRACE_TABLE_MASK, rtrace_table, mask);
# 32 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_TABLE_MASK $8 offsetof(struct rtrace_table, mask)"	#
# 0 "" 2
# arch/stub_offsets.c:33: 	OFFSET(RTRACE_SLOT_SITE, rtrace_slot, site);
# 33 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_SLOT_SITE $0 offsetof(struct rtrace_slot, site)"	#
# 0 "" 2
# arch/stub_offsets.c:34: 	OFFSET(RTRACE_SLOT_HOT, rtrace_slot, hot);
# 34 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_SLOT_HOT $8 offsetof(struct rtrace_slot, hot)"	#
# 0 "" 2
# arch/stub_offsets.c:35: 	OFFSET(RTRACE_SLOT_WHAT, rtrace_slot, what);
# 35 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_SLOT_WHAT $24 offsetof(struct rtrace_slot, what)"	#
# 0 "" 2
# arch/stub_offsets.c:36: 	OFFSET(RTRACE_SLOT_AT_ONCE, rtrace_slot, at_once);
# 36 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_SLOT_AT_ONCE $27 offsetof(struct rtrace_slot, at_once)"	#
# 0 "" 2
# arch/stub_offsets.c:37: 	OFFSET(RTRACE_SLOT_ENTERED, rtrace_slot, entered);
# 37 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_SLOT_ENTERED $32 offsetof(struct rtrace_slot, entered)"	#
# 0 "" 2
# arch/stub_offsets.c:38: 	OFFSET(RTRACE_SLOT_BLOCK, rtrace_slot, block);
# 38 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_SLOT_BLOCK $36 offsetof(struct rtrace_slot, block)"	#
# 0 "" 2
# arch/stub_offsets.c:39: 	OFFSET(RTRACE_SLOT_DATA, rtrace_slot, data);
# 39 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_SLOT_DATA $40 offsetof(struct rtrace_slot, data)"	#
# 0 "" 2
# arch/stub_offsets.c:40: 	OFFSET(RTRACE_HOT_TOKEN, rtrace_hot, token);
# 40 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_HOT_TOKEN $0 offsetof(struct rtrace_hot, token)"	#
# 0 "" 2
# arch/stub_offsets.c:41: 	OFFSET(RTRACE_HOT_COUNTERS, rtrace_hot, counters);
# 41 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_HOT_COUNTERS $8 offsetof(struct rtrace_hot, counters)"	#
# 0 "" 2
# arch/stub_offsets.c:42: 	OFFSET(RTRACE_HOT_FIRED, rtrace_hot, fired);
# 42 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_HOT_FIRED $24 offsetof(struct rtrace_hot, fired)"	#
# 0 "" 2
# arch/stub_offsets.c:43: 	OFFSET(RTRACE_HOT_AGGREGATIONS, rtrace_hot, aggregations);
# 43 "arch/stub_offsets.c" 1
	
.ascii "->RTRACE_HOT_AGGREGATIONS $32 offsetof(struct rtrace_hot, aggregations)"	#
# 0 "" 2
# arch/stub_offsets.c:44: }
#NO_APP
	jmp	__x86_return_thunk
	.size	rtrace_stub_offsets, .-rtrace_stub_offsets
	.ident	"GCC: (Debian 14.2.0-19) 14.2.0"
	.section	.note.GNU-stack,"",@progbits
	.section	.note.gnu.property,"a"
	.align 8
	.long	1f - 0f
	.long	4f - 1f
	.long	5
0:
	.string	"GNU"
1:
	.align 8
	.long	0xc0000002
	.long	3f - 2f
2:
	.long	0x1
3:
	.align 8
4:
