// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel offers only as C inlines, macros, and per-CPU variables: one
 * section for each part of shim.h that has no file of its own. Those that have one:
 * our ftrace_ops and fprobes (ftrace.c), the stub (stub.c, frames.c), what programs
 * read (memory.c, task.c, registers.c, stacks.c, paths.c), clocks (clocks.c), what
 * readers map and wait in (reader.c), and access (access.c). Built without ftrace
 * sites of its own (see Kbuild), so that no handler here can be traced.
 */
#include <linux/clocksource_ids.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/sort.h>
#include <linux/static_call.h>
#include <linux/suspend.h>
#include <linux/tracepoint.h>

#include "../../include/uapi/rust_tracer.h"
#include "../arch/stub.h"
#include "shim.h"
#include "moment.h"

static_assert(sizeof(struct rtrace_info) == 72);
static_assert(sizeof(struct rtrace_functions) == 72);
static_assert(sizeof(struct rtrace_function) == 32);
static_assert(sizeof(struct rtrace_add) == 56);
static_assert(sizeof(struct rtrace_probes) == 48);
static_assert(sizeof(struct rtrace_probe) == 24);
static_assert(sizeof(struct rtrace_config) == 40);
static_assert(sizeof(struct rtrace_target) == 16);
static_assert(sizeof(struct rtrace_start) == 16);
static_assert(sizeof(struct rtrace_status) == 88);
static_assert(sizeof(struct rtrace_ledger) == 40);
static_assert(sizeof(struct rtrace_ledger_row) == 208);
static_assert(sizeof(struct rtrace_error) == 32);
static_assert(sizeof(struct rtrace_sessions) == 48);
static_assert(sizeof(struct rtrace_session) == 112);
static_assert(sizeof(struct rtrace_revoke) == 24);
static_assert(sizeof(struct rtrace_publish) == 24);
static_assert(sizeof(struct rtrace_observe) == 32);
static_assert(sizeof(struct rtrace_read) == 56);
static_assert(sizeof(struct rtrace_symbol) == 32);
static_assert(sizeof(struct rtrace_quota) == 120);
static_assert(sizeof(struct rtrace_program) == 128);
static_assert(sizeof(struct rtrace_add_own) == 40);
static_assert(sizeof(struct rtrace_aggregate) == 48);
static_assert(sizeof(struct rtrace_aggregate_entry) == 16);
static_assert(sizeof(struct rtrace_ring_status) == 48);
static_assert(sizeof(struct rtrace_record) == 16);
static_assert(sizeof(struct rtrace_record_lost) == 24);
static_assert(sizeof(struct rtrace_record_entry) == 80);
static_assert(sizeof(struct rtrace_record_return) == 48);
static_assert(sizeof(struct rtrace_record_called) == 56);
static_assert(sizeof(struct rtrace_record_returned) == 64);
static_assert(sizeof(struct rtrace_clause) == 16);
static_assert(sizeof(struct rtrace_variable) == 16);
static_assert(sizeof(struct rtrace_aggregation) == 40);
static_assert(sizeof(struct rtrace_record_clause) == 48);
static_assert(sizeof(struct rtrace_item) == 8);
static_assert(sizeof(struct rtrace_record_fault) == 56);

/* ---- the clock ------------------------------------------------------------- */

bool rtrace_clock_snapshot(u64 *cycles, u64 *ns)
{
	struct system_time_snapshot now;

	ktime_get_snapshot_id(CLOCK_MONOTONIC, &now);
	*cycles = now.cycles;
	*ns = ktime_to_ns(now.systime);
	return now.valid && now.cs_id == CSID_X86_TSC;
}

static int rtrace_power_event(struct notifier_block *block, unsigned long event,
			      void *data)
{
	rtrace_on_power_event(event == PM_SUSPEND_PREPARE || event == PM_HIBERNATION_PREPARE ||
			      event == PM_RESTORE_PREPARE);
	return NOTIFY_OK;
}

static struct notifier_block rtrace_power_block = {
	.notifier_call = rtrace_power_event,
};

int rtrace_clock_watch(void)
{
	return register_pm_notifier(&rtrace_power_block);
}

void rtrace_clock_unwatch(void)
{
	unregister_pm_notifier(&rtrace_power_block);
}

/* ---- the moment ---------------------------------------------------------- */

DEFINE_PER_CPU(u8, rtrace_busy);
DEFINE_PER_CPU(int, rtrace_turn);
DEFINE_PER_CPU(u64, rtrace_burdened);

u64 rtrace_burden(u32 cpu)
{
	return cpu < nr_cpu_ids && cpu_possible(cpu) ?
		       READ_ONCE(per_cpu(rtrace_burdened, cpu)) : 0;
}

void rtrace_add_burden(u64 ns)
{
	this_cpu_add(rtrace_burdened, ns);
}

/* ---- symbols and sites ---------------------------------------------------- */

typedef int (*rtrace_each_symbol)(void *, const char *, unsigned long);

static int rtrace_no_symbols(rtrace_each_symbol each, void *data)
{
	return -ENOENT;
}

static unsigned long rtrace_no_site(unsigned long start, unsigned long end)
{
	return 0;
}

/*
 * Static calls, since their targets are not exported and an indirect call would
 * need an ENDBR that the kernel may have sealed.
 */
DEFINE_STATIC_CALL(rtrace_symbols, rtrace_no_symbols);
DEFINE_STATIC_CALL(rtrace_site_in, rtrace_no_site);

static void *rtrace_address_of(const char *symbol)
{
	struct kprobe kprobe = {
		.symbol_name = symbol,
		.flags = KPROBE_FLAG_DISABLED, /* resolved, never armed */
	};
	void *address;
	int error;

	error = register_kprobe(&kprobe);
	if (error)
		return ERR_PTR(error);
	address = kprobe.addr;
	unregister_kprobe(&kprobe);
	return address;
}

int rtrace_symbols_find(void)
{
	void *walk = rtrace_address_of("kallsyms_on_each_symbol");
	void *site = rtrace_address_of("ftrace_location_range");

	if (IS_ERR(walk))
		return PTR_ERR(walk);
	if (IS_ERR(site))
		return PTR_ERR(site);
	static_call_update(rtrace_symbols, (typeof(&rtrace_no_symbols))walk);
	static_call_update(rtrace_site_in, (typeof(&rtrace_no_site))site);
	return 0;
}

int rtrace_symbols_walk(rtrace_each_symbol each, void *data)
{
	return static_call(rtrace_symbols)(each, data);
}

unsigned long rtrace_site(unsigned long address)
{
	/* The site is the first instruction, or the second behind an ENDBR. */
	return static_call(rtrace_site_in)(address, address + 4);
}

int rtrace_module_walk(struct module *module, rtrace_each_symbol each, void *data)
{
	/* Those of the initialiser go once it is live, with the table that has them. */
	const struct mod_kallsyms *symbols =
		READ_ONCE(module->state) == MODULE_STATE_LIVE ?
			&module->core_kallsyms :
			rcu_dereference_raw(module->kallsyms);
	unsigned int i;
	int ret;

	for (i = 0; i < symbols->num_symtab; i++) {
		const Elf_Sym *symbol = &symbols->symtab[i];
		char type = symbols->typetab[i];

		if (symbol->st_shndx == SHN_UNDEF ||
		    (type != 't' && type != 'T' && type != 'w' && type != 'W'))
			continue;
		ret = each(data, symbols->strtab + symbol->st_name,
			   symbol->st_value);
		if (ret)
			return ret;
	}
	return 0;
}

const char *rtrace_module_name(const struct module *module)
{
	return module->name;
}

bool rtrace_module_is_init(const struct module *module, unsigned long address)
{
	return within_module_init(address, module);
}

unsigned int rtrace_modules_get(struct module **modules, unsigned int room)
{
	struct list_head *at;
	unsigned int count = 0;

	/*
	 * The list of modules begins in the kernel proper, its entries lie where
	 * modules do: so our own entry leads to all, the kernel's own is no module.
	 */
	rcu_read_lock();
	for (at = rcu_dereference(list_next_rcu(&THIS_MODULE->list));
	     at != &THIS_MODULE->list && count < room;
	     at = rcu_dereference(list_next_rcu(at))) {
		struct module *module = list_entry(at, struct module, list);

		if (is_vmalloc_or_module_addr(at) &&
		    module->state == MODULE_STATE_LIVE && try_module_get(module))
			modules[count++] = module;
	}
	rcu_read_unlock();
	return count;
}

void rtrace_module_put(struct module *module)
{
	module_put(module);
}

static int rtrace_module_event(struct notifier_block *block, unsigned long event,
			       void *module)
{
	if (event == MODULE_STATE_COMING)
		rtrace_on_module_coming(module);
	else if (event == MODULE_STATE_LIVE)
		rtrace_on_module_live(module);
	else if (event == MODULE_STATE_GOING)
		rtrace_on_module_going(module);
	return NOTIFY_OK;
}

static struct notifier_block rtrace_module_block = {
	.notifier_call = rtrace_module_event,
};

int rtrace_modules_watch(void)
{
	return register_module_notifier(&rtrace_module_block);
}

void rtrace_modules_unwatch(void)
{
	unregister_module_notifier(&rtrace_module_block);
}

/* ---- per-CPU memory ------------------------------------------------------- */

void *rtrace_percpu_alloc(size_t size, size_t align)
{
	return (void *)(unsigned long)__alloc_percpu_gfp(size, align,
						  GFP_KERNEL_ACCOUNT | __GFP_ZERO);
}

void rtrace_percpu_free(void *percpu)
{
	free_percpu((void __percpu *)(unsigned long)percpu);
}

static DEFINE_PER_CPU(struct rtrace_hot, rtrace_closed) = { .running = 1 };

void *rtrace_closed_line(void)
{
	return (void *)(unsigned long)&rtrace_closed;
}

void *rtrace_percpu_of(void *percpu, u32 cpu)
{
	return per_cpu_ptr((void __percpu *)(unsigned long)percpu, cpu);
}

/* ---- CPUs ----------------------------------------------------------------- */

void rtrace_cpus_lock(void)
{
	cpus_read_lock();
}

void rtrace_cpus_unlock(void)
{
	cpus_read_unlock();
}

u32 rtrace_cpu_limit(void)
{
	return nr_cpu_ids;
}

bool rtrace_cpu_possible(u32 cpu)
{
	return cpu < nr_cpu_ids && cpu_possible(cpu);
}

bool rtrace_cpu_online(u32 cpu)
{
	return cpu < nr_cpu_ids && cpu_online(cpu);
}

int rtrace_cpu_call(u32 cpu, int (*set)(void *), void *data)
{
	return smp_call_on_cpu(cpu, set, data, false);
}

static int rtrace_cpu_coming(unsigned int cpu)
{
	rtrace_on_cpu_coming(cpu);
	return 0;
}

static int rtrace_cpu_online_now(unsigned int cpu)
{
	rtrace_on_cpu_online(cpu);
	return 0;
}

static int rtrace_cpu_leaving(unsigned int cpu)
{
	rtrace_on_cpu_leaving(cpu);
	return 0;
}

static int rtrace_cpus_state, rtrace_cpus_online_state;

int rtrace_cpus_watch(void)
{
	int state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN,
					      "rust_tracer:coming",
					      rtrace_cpu_coming, NULL);

	if (state < 0)
		return state;
	rtrace_cpus_state = state;
	state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "rust_tracer:online",
					  rtrace_cpu_online_now, rtrace_cpu_leaving);
	if (state < 0) {
		cpuhp_remove_state_nocalls(rtrace_cpus_state);
		return state;
	}
	rtrace_cpus_online_state = state;
	return 0;
}

void rtrace_cpus_unwatch(void)
{
	cpuhp_remove_state_nocalls(rtrace_cpus_online_state);
	cpuhp_remove_state_nocalls(rtrace_cpus_state);
}

void rtrace_give_way(void)
{
	cond_resched();
}

/* ---- tasks ---------------------------------------------------------------- */

u64 rtrace_current_start(void)
{
	return current->start_boottime;
}

void rtrace_who(struct rtrace_who *who)
{
	who->uid = __kuid_val(current_real_cred()->uid);
	memcpy(who->execname, current->comm, sizeof(who->execname));
}
static_assert(sizeof(((struct rtrace_who *)0)->execname) == TASK_COMM_LEN);

bool rtrace_task_alive(u32 tid, u64 start)
{
	struct task_struct *task;
	bool alive;

	if (!tid) /* the idle tasks never end */
		return true;
	rcu_read_lock();
	task = pid_task(find_pid_ns(tid, &init_pid_ns), PIDTYPE_PID);
	alive = task && task->start_boottime == start &&
		READ_ONCE(task->__state) != TASK_DEAD;
	rcu_read_unlock();
	return alive;
}

u32 rtrace_find_process(s32 pid)
{
	struct task_struct *task;
	u32 tgid;

	rcu_read_lock();
	task = pid_task(find_vpid(pid), PIDTYPE_PID);
	tgid = task ? task->tgid : 0;
	rcu_read_unlock();
	return tgid;
}

/* A process is listed behind those from which it descends: who becomes its parent instead of another is one of them. */
void rtrace_each_process(void (*each)(void *data, u32 process, u32 parent), void *data)
{
	struct task_struct *process;

	rcu_read_lock();
	for_each_process(process)
		each(data, process->tgid, rcu_dereference(process->real_parent)->tgid);
	rcu_read_unlock();
}

static void rtrace_forked(void *data, struct task_struct *parent,
			  struct task_struct *child)
{
	if (!thread_group_leader(child)) /* one more thread, not a process */
		return;
	preempt_disable(); /* tracepoints themselves only hold an SRCU */
	rtrace_on_fork(parent->tgid, child->tgid);
	preempt_enable();
}

static struct tracepoint *rtrace_fork_point;

static void rtrace_find_fork_point(struct tracepoint *point, void *data)
{
	if (!strcmp(point->name, "sched_process_fork"))
		rtrace_fork_point = point;
}

int rtrace_forks_watch(void)
{
	for_each_kernel_tracepoint(rtrace_find_fork_point, NULL);
	if (!rtrace_fork_point)
		return -ENOENT;
	return tracepoint_probe_register(rtrace_fork_point, rtrace_forked, NULL);
}

void rtrace_forks_unwatch(void)
{
	tracepoint_probe_unregister(rtrace_fork_point, rtrace_forked, NULL);
	tracepoint_synchronize_unregister();
}

/* ---- names of addresses --------------------------------------------------- */

static_assert(RTRACE_SYMBOL_ROOM >= KSYM_SYMBOL_LEN);
static_assert(RTRACE_SYMBOL_ROOM == RTRACE_SYMBOL_MAX);

u32 rtrace_symbol(unsigned long address, char *buf)
{
	int len = sprint_symbol(buf, address);

	/* What has no symbol comes back as a number. */
	return len > 1 && !(buf[0] == '0' && buf[1] == 'x') ? len : 0;
}

/* ---- sorting -------------------------------------------------------------- */

void rtrace_sort(void *base, size_t count, size_t size,
		 int (*compare)(const void *, const void *, const void *),
		 const void *data)
{
	sort_r(base, count, size, compare, NULL, data);
}
