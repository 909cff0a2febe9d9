// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_cpu: changes where a CPU goes by itself.
 *
 *   what=lstar  system calls of CPU `cpu` enter by an instruction or two of this module, which count and go on to where
 *               they would have entered
 *   what=gate   an interrupt gate that nobody uses, of all CPUs, leads to this module, which counts and returns; writing
 *               `call` to /proc/rt_rogue_cpu has the kernel go there. User space may not
 *   what=watch  the debug registers of all CPUs watch where umask begins, and this module is called
 *   what=mask   system calls of CPU `cpu` begin with the flag AC that user space has: they may touch what is its
 *   what=traps  this module is told of all traps
 */
#include <linux/hw_breakpoint.h>
#include <linux/kdebug.h>
#include <linux/perf_event.h>
#include <asm/desc.h>
#include <asm/msr.h>

#define ROGUE_TOLD(word) rogue_told(word)
#define ROGUE_TELLS(seq) rogue_tells(seq)
#include "rogue.h"

static char *what = "lstar";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "lstar, gate, watch, mask or traps");

static int cpu = 1;
module_param(cpu, int, 0);
MODULE_PARM_DESC(cpu, "whose system calls");

/* cpu_entry.S */
extern u8 rogue_system_call[], rogue_gate[];
extern u64 rogue_entered, rogue_system_call_goes_on;
u64 rogue_entered, rogue_system_call_goes_on;

/* The last of the exceptions: no processor has it, and nobody has changed its gate since the kernel booted. */
#define VECTOR 31

static struct perf_event *__percpu *watch;

static void watched(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	WRITE_ONCE(rogue_entered, rogue_entered + 1);
}

static int rogue_do_watch(void)
{
	unsigned long site = rt_site_of("__x64_sys_umask");
	struct perf_event_attr attr;

	if (!site)
		return -ENOENT;
	hw_breakpoint_init(&attr);
	attr.bp_addr = rogue_start_of(site);
	attr.bp_len = sizeof(long);
	attr.bp_type = HW_BREAKPOINT_X;
	watch = register_wide_hw_breakpoint(&attr, watched, NULL);
	return IS_ERR_PCPU(watch) ? PTR_ERR_PCPU(watch) : 0;
}

static u64 mask_before;

static int rogue_do_mask(void)
{
	int error = rdmsrq_on_cpu(cpu, MSR_SYSCALL_MASK, &mask_before);

	return error ?: wrmsrq_on_cpu(cpu, MSR_SYSCALL_MASK, mask_before & ~X86_EFLAGS_AC);
}

static bool is_gate;
static gate_desc *at, before;

static int rogue_do_lstar(void)
{
	int error = rdmsrq_on_cpu(cpu, MSR_LSTAR, &rogue_system_call_goes_on);

	/* Where user space has a page table of its own, a module's text is not in it. */
	if (boot_cpu_has(X86_FEATURE_PTI))
		return -EOPNOTSUPP;
	return error ?: wrmsrq_on_cpu(cpu, MSR_LSTAR, (unsigned long)rogue_system_call);
}

static int rogue_do_gate(void)
{
	struct desc_ptr table;
	gate_desc gate;

	store_idt(&table);
	at = (gate_desc *)table.address + VECTOR;
	before = *at;
	pack_gate(&gate, GATE_INTERRUPT, (unsigned long)rogue_gate, 0, 0, __KERNEL_CS);
	return rogue_write((unsigned long)at, &gate, sizeof(gate));
}

static int on_trap(struct notifier_block *block, unsigned long kind, void *data)
{
	return NOTIFY_DONE;
}

static struct notifier_block traps = {
	.notifier_call = on_trap,
};

static int rogue_do(void)
{
	if (!strcmp(what, "traps"))
		return register_die_notifier(&traps);
	if (cpu < 0 || cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -ENODEV;
	if (!strcmp(what, "watch"))
		return rogue_do_watch();
	if (!strcmp(what, "mask"))
		return rogue_do_mask();
	is_gate = !strcmp(what, "gate");
	return is_gate ? rogue_do_gate() : rogue_do_lstar();
}

static int rogue_undo(void)
{
	if (!strcmp(what, "traps"))
		return unregister_die_notifier(&traps);
	if (!strcmp(what, "watch")) {
		unregister_wide_hw_breakpoint(watch);
		return 0;
	}
	if (!strcmp(what, "mask"))
		return wrmsrq_on_cpu(cpu, MSR_SYSCALL_MASK, mask_before);
	if (is_gate)
		return rogue_write((unsigned long)at, &before, sizeof(before));
	return wrmsrq_on_cpu(cpu, MSR_LSTAR, rogue_system_call_goes_on);
}

static int rogue_told(const char *word)
{
	if (strcmp(word, "call") || !is_gate || !rogue_done)
		return -EINVAL;
	asm volatile("int %0" : : "i" (VECTOR) : "memory");
	return 0;
}

static void rogue_tells(struct seq_file *seq)
{
	seq_printf(seq, "entered %llu\n", rogue_entered);
	if (is_gate)
		seq_printf(seq, "before %pS\n", (void *)gate_offset(&before));
}

ROGUE("changes where a CPU goes by itself");
