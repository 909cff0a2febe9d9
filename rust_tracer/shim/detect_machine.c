// SPDX-License-Identifier: GPL-2.0
/* For the views (see detect.c): the page table, and what each CPU has in its registers. */
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/rwsem.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/vsyscall.h>

#include "../../include/uapi/rust_tracer.h"
#include "detect_at.h"

/* ---- pages ----------------------------------------------------------------------------- */

#define RTRACE_TABLE_BITS 9
#define RTRACE_ENTRIES (1u << RTRACE_TABLE_BITS)
#define RTRACE_LEVELS_MAX 5

struct rtrace_sweep {
	u64 (*tables)[RTRACE_ENTRIES]; /* a copy of the one that is walked, by level */
	struct rtrace_pages_fact run;
	rtrace_each each;
	void *data;
};

static void rtrace_end_run(struct rtrace_sweep *sweep)
{
	if (sweep->run.bytes)
		sweep->each(sweep->data, &sweep->run);
	sweep->run.bytes = 0;
}

static void rtrace_executable(struct rtrace_sweep *sweep, u64 start, u64 bytes, bool writable)
{
	struct rtrace_pages_fact *run = &sweep->run;

	if (run->bytes && run->start + run->bytes == start && run->writable == writable) {
		run->bytes += bytes;
		return;
	}
	rtrace_end_run(sweep);
	run->start = start;
	run->bytes = bytes;
	run->writable = writable;
}

/* An entry as the kernel reads it: a guest that Xen paravirtualises has the machine's frames in its tables. */
static u64 rtrace_entry(u64 entry)
{
	return pte_val((pte_t){ .pte = entry });
}

/*
 * Where a table is mapped that an entry refers to. A table is memory: what a stale
 * entry refers to may be a device, which must not be read.
 */
static bool rtrace_table_of(u64 entry, u64 *table)
{
	unsigned long frame = (entry & PTE_PFN_MASK) >> PAGE_SHIFT;

	if (!pfn_valid(frame))
		return false;
	*table = (unsigned long)__va(PFN_PHYS(frame));
	return true;
}

static unsigned int rtrace_shift(unsigned int level)
{
	return PAGE_SHIFT + RTRACE_TABLE_BITS * (level - 1);
}

static bool rtrace_is_leaf(u64 entry, unsigned int level)
{
	return level == 1 || (level <= 3 && entry & _PAGE_PSE);
}

/*
 * Tables are copied as memory that may be anything. Those of the kernel's own maps are
 * not freed while init_mm is locked; those of vmalloc's may be, and then tell nonsense
 * for this once.
 */
static void rtrace_sweep(struct rtrace_sweep *sweep, unsigned int level, u64 table, u64 base,
			 bool writable, u64 start, u64 last)
{
	u64 *entries = sweep->tables[level - 1];
	unsigned int shift = rtrace_shift(level), i;

	if (!rtrace_copy_kernel(entries, table, PAGE_SIZE))
		return;
	for (i = 0; i < RTRACE_ENTRIES; i++) {
		u64 at = base + ((u64)i << shift), end = at + (1ull << shift) - 1;
		u64 entry = rtrace_entry(entries[i]), below;
		bool may_write = writable && entry & _PAGE_RW;

		if (end < start || at > last || !(entry & _PAGE_PRESENT) || entry & _PAGE_NX)
			continue;
		if (rtrace_is_leaf(entry, level))
			rtrace_executable(sweep, at, end - at + 1, may_write);
		else if (rtrace_table_of(entry, &below))
			rtrace_sweep(sweep, level - 1, below, at, may_write, start, last);
	}
	if (level == 2)
		cond_resched();
}

static unsigned int rtrace_levels(void)
{
	return pgtable_l5_enabled() ? 5 : 4;
}

int rtrace_each_executable(rtrace_each each, void *data)
{
	unsigned int levels = rtrace_levels(), i;
	/*
	 * The kernel's half but for what maps the same few pages over and over, which
	 * would take long: shadow memory, the stacks for returns to 16-bit code.
	 */
	const struct {
		u64 start, last;
	} parts[] = {
#ifdef CONFIG_KASAN
		{ -1ull << (rtrace_shift(levels) + RTRACE_TABLE_BITS - 1), KASAN_SHADOW_START - 1 },
		{ KASAN_SHADOW_END, ESPFIX_BASE_ADDR - 1 },
#else
		{ -1ull << (rtrace_shift(levels) + RTRACE_TABLE_BITS - 1), ESPFIX_BASE_ADDR - 1 },
#endif
		{ ESPFIX_BASE_ADDR + P4D_SIZE, VSYSCALL_ADDR - 1 },
	};
	struct rtrace_sweep sweep = { .each = each, .data = data };
	struct mm_struct *kernel = (struct mm_struct *)rtrace_at.init_mm;
	int error = 0;

	sweep.tables = kvmalloc_array(RTRACE_LEVELS_MAX, PAGE_SIZE, GFP_KERNEL);
	if (!sweep.tables)
		return -ENOMEM;
	/* Who makes large pages of small ones holds it for reading. */
	if (kernel)
		error = down_write_killable(&kernel->mmap_lock);
	if (error)
		goto out;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		/* Its lower half is user space's: addresses below what the kernel has. */
		u64 base = -1ull << (rtrace_shift(levels) + RTRACE_TABLE_BITS);
		u64 table = (unsigned long)current->active_mm->pgd;

		rtrace_sweep(&sweep, levels, table, base, true, parts[i].start, parts[i].last);
		rtrace_end_run(&sweep);
	}
	if (kernel)
		up_write(&kernel->mmap_lock);
out:
	kvfree(sweep.tables);
	return error;
}

u32 rtrace_page_is(u64 address)
{
	unsigned int level = rtrace_levels();
	u64 table = (unsigned long)current->active_mm->pgd, entry;
	u32 is = RTRACE_PAGE_MAPPED | RTRACE_PAGE_EXECUTABLE;

	/* Only what lies in the upper half of the first table is the kernel's. */
	if ((s64)address >> (rtrace_shift(level) + RTRACE_TABLE_BITS - 1) != -1)
		return 0;
	for (;; level--) {
		u64 index = (address >> rtrace_shift(level)) & (RTRACE_ENTRIES - 1);

		if (!rtrace_copy_kernel(&entry, table + index * sizeof(entry), sizeof(entry)) ||
		    !(entry & _PAGE_PRESENT))
			return 0;
		entry = rtrace_entry(entry);
		if (entry & _PAGE_NX)
			is &= ~RTRACE_PAGE_EXECUTABLE;
		if (rtrace_is_leaf(entry, level))
			return is;
		if (!rtrace_table_of(entry, &table))
			return 0;
	}
}

/* ---- CPUs -------------------------------------------------------------------------------- */

/* Flags that a system call begins without. */
#define RTRACE_CLEARED (X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_AC)

/* What the kernel has use for and is off on this CPU. */
static u32 rtrace_is_off(u64 entry)
{
	unsigned long cr4 = native_read_cr4();
	u64 mask;
	u32 off = 0;

	if (cpu_feature_enabled(X86_FEATURE_SMEP) && !(cr4 & X86_CR4_SMEP))
		off |= RTRACE_CPU_SMEP;
	if (cpu_feature_enabled(X86_FEATURE_SMAP) && !(cr4 & X86_CR4_SMAP))
		off |= RTRACE_CPU_SMAP;
	if (cpu_feature_enabled(X86_FEATURE_UMIP) && !(cr4 & X86_CR4_UMIP))
		off |= RTRACE_CPU_UMIP;
	/* Where system calls are told apart otherwise there is no mask, either. */
	if (entry && !rdmsrq_safe(MSR_SYSCALL_MASK, &mask) &&
	    (mask & RTRACE_CLEARED) != RTRACE_CLEARED)
		off |= RTRACE_CPU_MASK;
#ifdef CONFIG_USER_RETURN_NOTIFIER
	/* KVM leaves them so until the CPU returns to user space (kvm_set_user_return_msr()). */
	if (test_thread_flag(TIF_USER_RETURN_NOTIFY))
		off |= RTRACE_CPU_LENT;
#endif
	return off;
}

static void rtrace_look_at_cpu(void *data)
{
	struct rtrace_cpu_fact *fact = data;
	unsigned long enabled = native_get_debugreg(7);
	const u64 watched[RTRACE_BREAKPOINTS] = {
		native_get_debugreg(0), native_get_debugreg(1),
		native_get_debugreg(2), native_get_debugreg(3),
	};
	struct desc_ptr idt;
	unsigned int i;

	store_idt(&idt);
	fact->idt = idt.address;
	fact->idt_bytes = (u32)idt.size + 1;
	fact->cr0_wp = !!(read_cr0() & X86_CR0_WP);
	for (i = 0; i < RTRACE_BREAKPOINTS; i++)
		if (enabled >> (i * DR_ENABLE_SIZE) & (DR_LOCAL_ENABLE | DR_GLOBAL_ENABLE))
			fact->watched[i] = watched[i];
	/* All of them are on every processor with 64 bits. */
	rdmsrq_safe(MSR_LSTAR, &fact->syscall);
	rdmsrq_safe(MSR_CSTAR, &fact->compat);
	rdmsrq_safe(MSR_IA32_SYSENTER_EIP, &fact->sysenter);
	fact->off = rtrace_is_off(fact->syscall);
}

int rtrace_cpu_fact(u32 cpu, struct rtrace_cpu_fact *fact)
{
	/* Its tables and registers are the hypervisor's. */
	if (cpu_feature_enabled(X86_FEATURE_XENPV))
		return -EOPNOTSUPP;
	memset(fact, 0, sizeof(*fact));
	return smp_call_function_single(cpu, rtrace_look_at_cpu, fact, true);
}
