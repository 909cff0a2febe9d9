// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_patch: writes into the text of a system call's function, or of what calls it, without asking anybody; or
 * could.
 *
 *   function=NAME  whose; __x64_sys_umask
 *   where=fentry   a jump at its site, to a function of this module that returns 668
 *   where=call     a call at its site, of one that only counts
 *   where=start    a jump by way of a register at its first byte, to the one that returns 668
 *   where=end      a jump at its last instruction, to what returns 668
 *   where=switch   the jump in x64_sys_call leads to the one that returns 668
 *   where=static   where a static call of the kernel's goes by a place of its own, to the one that only counts
 *   where=table    the page table lets everybody write it
 */
#define ROGUE_TELLS(seq) rogue_tells(seq)
#include "rogue.h"

static char *function = "__x64_sys_umask";
module_param(function, charp, 0);
MODULE_PARM_DESC(function, "the system call's function");

static char *where = "fentry";
module_param(where, charp, 0);
MODULE_PARM_DESC(where, "fentry, call, start, end, switch, static or table");

/* patch_answer.S; these are no functions of C. */
extern u8 rogue_answer[], rogue_count[];
extern u32 rogue_answered;
u32 rogue_answered;

#define LONGEST 12

static unsigned long patched;
static u8 before[LONGEST], after[LONGEST];
static unsigned int bytes;

/* The first jump or call from there on that leads to the function. */
static unsigned long branch_to(unsigned long at, unsigned long start)
{
	unsigned long end = at + 65536;

	for (; at < end; at++) {
		u8 opcode = *(u8 *)at;
		unsigned long to = rogue_branch_target(at);

		if ((opcode == 0xe8 || opcode == 0xe9) && (to == start || to == start + ENDBR_INSN_SIZE))
			return at;
	}
	return 0;
}

/* The function's first return, which has room for a jump: there is one as long, or nothing but traps behind it. */
static unsigned long return_of(unsigned long at)
{
	static const u8 ret[] = { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc };
	unsigned long thunk = rogue_symbol("__x86_return_thunk"), end = at + 512;

	for (; at < end; at++) {
		if (!memcmp((void *)at, ret, sizeof(ret)))
			return at;
		if (*(u8 *)at == 0xe9 && thunk && rogue_branch_target(at) == thunk)
			return at;
	}
	return 0;
}

static int make_writable(bool writable)
{
	unsigned int level;
	pte_t *entry = lookup_address(patched, &level);

	if (!entry)
		return -ENOENT;
	if (writable)
		set_bit(_PAGE_BIT_RW, (unsigned long *)entry);
	else
		clear_bit(_PAGE_BIT_RW, (unsigned long *)entry);
	on_each_cpu(rogue_flush, (void *)patched, 1);
	return 0;
}

static int rogue_do(void)
{
	unsigned long site = rt_site_of(function), start, answer = (unsigned long)rogue_answer;

	if (!site)
		return -ENOENT;
	start = rogue_start_of(site);
	if (!strcmp(where, "table")) {
		patched = start;
		return make_writable(true);
	}
	bytes = 5;
	if (!strcmp(where, "fentry")) {
		patched = site;
		rogue_branch(after, 0xe9, patched, answer);
	} else if (!strcmp(where, "call")) {
		patched = site;
		rogue_branch(after, 0xe8, patched, (unsigned long)rogue_count);
	} else if (!strcmp(where, "start")) {
		static const u8 load[] = { 0x48, 0xb8 }, jump[] = { 0xff, 0xe0 };

		patched = start;
		bytes = LONGEST;
		memcpy(after, load, sizeof(load));
		memcpy(after + 2, &answer, sizeof(answer));
		memcpy(after + 10, jump, sizeof(jump));
	} else if (!strcmp(where, "end")) {
		patched = return_of(site);
		rogue_branch(after, 0xe9, patched, answer);
	} else if (!strcmp(where, "switch")) {
		unsigned long dispatch = rt_site_of("x64_sys_call") ?: rogue_symbol("x64_sys_call");

		patched = dispatch ? branch_to(dispatch, start) : 0;
		if (patched)
			rogue_branch(after, *(u8 *)patched, patched, answer);
	} else if (!strcmp(where, "static")) {
		patched = rogue_symbol("__SCT__tp_func_sched_process_fork");
		if (patched)
			rogue_branch(after, 0xe9, patched, (unsigned long)rogue_count);
	} else {
		return -EINVAL;
	}
	if (!patched)
		return -ENXIO;
	memcpy(before, (void *)patched, bytes);
	return rogue_write(patched, after, bytes);
}

static int rogue_undo(void)
{
	int error;

	if (!strcmp(where, "table"))
		return make_writable(false);
	error = rogue_write(patched, before, bytes);
	/* Nobody is left in what the text led to. */
	synchronize_rcu_tasks();
	return error;
}

static void rogue_tells(struct seq_file *seq)
{
	seq_printf(seq, "answered %u\n", READ_ONCE(rogue_answered));
}

ROGUE("writes into the kernel's text");
