/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam between the C shim and the Rust of the module. The Rust side of this
 * file is generated (bindgen), so the two cannot drift apart.
 *
 * The shim holds only what is static inline, a macro, or a per-CPU variable in
 * the kernel's C headers; every decision is made in Rust.
 */
#ifndef RUST_TRACER_SHIM_H
#define RUST_TRACER_SHIM_H

#include <linux/types.h>

struct file;
struct ftrace_ops;
struct ftrace_regs;
struct module;
struct poll_table_struct;
struct rtrace_frame;
struct rtrace_slot;
struct vm_area_struct;

/* ---- what a handler is told about the moment it fires ------------------- */

struct rtrace_moment {
	u32 cpu;
	u32 context; /* RTRACE_CONTEXT_* */
	u32 pid;
	u32 tid;
	bool recursed; /* one of our handlers is already at work in this context */
	u64 begun;     /* ns, if this handler's time is measured; else 0 */
};

/*
 * ns that our handlers have taken on that CPU so far, by samples. What one seems to
 * take beyond RTRACE_SAMPLE_MAX was an interrupt's, or the machine's below a virtual
 * one; or it has run a long program, and says so itself.
 */
#define RTRACE_SAMPLE_MAX 50000
u64 rtrace_burden(u32 cpu);
/* This handler has taken so many ns besides. */
void rtrace_add_burden(u64 ns);

/* ---- Rust, called by the shim: preemption off, any context up to NMI ------ */

/* The function of the module's ftrace_ops. */
void rtrace_on_call_site(unsigned long ip, unsigned long parent_ip,
			 struct ftrace_ops *ops, struct ftrace_regs *regs);
/* The short way; false: the firing must go the long one. */
bool rtrace_on_entry_short(unsigned long ip, const void *regs);
void rtrace_on_entry(unsigned long ip, const struct rtrace_moment *moment,
		     const void *regs);
/* Nonzero: keep no frame for this call. `frame` has room for 2 words. */
int rtrace_on_call(u64 owner, unsigned long ip,
		   const struct rtrace_moment *moment, u64 *frame,
		   const void *regs);
/* `to`: where the function returns to. */
void rtrace_on_return(u64 owner, unsigned long ip,
		      const struct rtrace_moment *moment, u64 value,
		      const u64 *frame, const void *regs, unsigned long to);
/* Called by the stub: RTRACE_STUB_*, the last with what is done already; whether the
 * long way must be gone, with preemption off. */
u32 rtrace_on_stub(struct rtrace_frame *frame);
/* The same where the slot of the site is known. */
u32 rtrace_on_stub_at(struct rtrace_frame *frame, const struct rtrace_slot *slot);
bool rtrace_on_stub_exit(struct rtrace_frame *frame, u64 value);
/* The first while its time is measured. */
u32 rtrace_on_stub_again(struct rtrace_frame *frame);
/* The long way. Without a frame the call is not followed. */
u32 rtrace_on_stub_entry(struct rtrace_frame *frame, unsigned long ip,
			 const struct rtrace_moment *moment, const void *regs,
			 u32 done);
void rtrace_on_stub_return(const struct rtrace_frame *frame,
			   const struct rtrace_moment *moment, u64 value,
			   const void *regs);
/* The frame's task ends inside the function. */
void rtrace_on_stub_died(const struct rtrace_frame *frame);
struct rtrace_place;
void rtrace_on_own(u64 owner, u32 probe, const struct rtrace_moment *moment,
		   const struct rtrace_place *place);
/* In a hard interrupt. False: never again. */
bool rtrace_on_clock(u64 owner, u32 probe, const struct rtrace_moment *moment,
		     const struct rtrace_place *place);

/* ---- Rust, called by the shim: task context, may sleep ------------------ */

void rtrace_on_module_coming(struct module *module);
void rtrace_on_module_live(struct module *module);
void rtrace_on_module_going(struct module *module);
void rtrace_on_cpu_coming(u32 cpu);
/* On that CPU itself. */
void rtrace_on_cpu_online(u32 cpu);
void rtrace_on_cpu_leaving(u32 cpu);
/* Preemption off. */
void rtrace_on_fork(u32 parent, u32 child);

/* In the module's own work item, every RTRACE_GUARD_MS. */
#define RTRACE_GUARD_MS 200
bool rtrace_on_guard(void); /* whether there is more to guard */
/* In another one, after rtrace_undertaker_wake(). */
void rtrace_on_undertaker(void);

/* ---- registers: see registers.c --------------------------------- */

/*
 * The six arguments of the system call that the current task is in, if the
 * function was entered with that task's user registers; else false. Task
 * context.
 */
bool rtrace_system_call_arguments(const void *regs, u64 *arguments);

/* The function's integer argument 6 + `number`, at its entry; 0: unreadable. */
u64 rtrace_stack_argument(const void *regs, u32 number);
/* As the first, whoever made the registers that were passed. */
bool rtrace_passed_registers(const void *regs, u64 *arguments);

/* ---- what a program reads; any context, preemption off ----------- */

/* See memory.c. */
bool rtrace_read_kernel(void *to, u64 address, u32 bytes);
/* The length without a NUL, or a negative errno. */
s64 rtrace_read_kernel_text(void *to, u64 address, u32 room);
/* Of the current task. */
bool rtrace_read_user(void *to, u64 address, u32 bytes);
s64 rtrace_read_user_text(void *to, u64 address, u32 room);

/* See task.c. The current task: its address, its parent's process id, its real group id. */
u64 rtrace_current(void);
u32 rtrace_parent(void);
u32 rtrace_gid(void);
bool rtrace_descends_from(u32 process);
/* ns: of the current task on CPUs; since 1970. */
u64 rtrace_virtual_time(void);
u64 rtrace_wall_time(void);
/* Task context. */
u64 rtrace_random(void);

/* Where a probe fires: see stacks.c. */
#define RTRACE_PLACE_ENTRY 0u  /* regs: struct ftrace_regs */
#define RTRACE_PLACE_RETURN 1u /* the same, and where to */
#define RTRACE_PLACE_CLOCK 2u  /* regs: struct pt_regs that were interrupted */
#define RTRACE_PLACE_OWN 3u    /* in a command of ours */
#define RTRACE_PLACE_STUB 4u   /* a return to the stub: regs are those there */
struct rtrace_place {
	const void *regs; /* or NULL */
	unsigned long site; /* of the function, where there is one */
	unsigned long to;   /* RTRACE_PLACE_RETURN */
	u32 kind;
};
/*
 * Innermost first: the function, behind its site, or what was interrupted; then its
 * caller. Returns how many.
 */
u32 rtrace_kernel_stack(const struct rtrace_place *place, u64 *frames, u32 room);
u32 rtrace_user_stack(u64 *frames, u32 room);
/* See registers.c. RTRACE_UREG_* of the current task; 0 for what is never in user space. */
u64 rtrace_user_register(u32 number);
/* What a clock interrupted: in the kernel, or in user space; the other is 0. */
void rtrace_counters(const struct rtrace_place *place, u64 *kernel, u64 *user);

/* See paths.c. Of a struct path; of the current task. The length, or a negative errno. */
s64 rtrace_path_of(u64 path, char *buf, u32 room);
s64 rtrace_cwd(char *buf, u32 room);

/* ---- probes of the module's own: see clocks.c; task context ------------- */

/* Fires here and now. */
void rtrace_fire_own(u64 owner, u32 probe);
struct rtrace_clock;
/* `cpu`: -1: on any. NULL: no memory. */
struct rtrace_clock *rtrace_clock_new(u64 owner, u32 probe, u64 period, s32 cpu);
/* On its CPU, if it has one. */
void rtrace_clock_start(struct rtrace_clock *clock);
/* It is not at work any more. */
void rtrace_clock_stop(struct rtrace_clock *clock);
void rtrace_clock_free(struct rtrace_clock *clock);

/* ---- the kernel's symbols and ftrace sites ------------------------------ */

/* 0, or why the kernel's symbol tables cannot be reached. Once, at load. */
int rtrace_symbols_find(void);
/* Calls `each` for every symbol of vmlinux, in order of address; nonzero ends. */
int rtrace_symbols_walk(int (*each)(void *, const char *, unsigned long),
			void *data);
/* The ftrace site of the function that begins at `address`, or 0. */
unsigned long rtrace_site(unsigned long address);
/* Calls `each` for every text symbol of the module. */
int rtrace_module_walk(struct module *module,
		       int (*each)(void *, const char *, unsigned long),
		       void *data);
const char *rtrace_module_name(const struct module *module);
/* Whether the address lies in the part that is freed after initialisation. */
bool rtrace_module_is_init(const struct module *module, unsigned long address);
/* References to all loaded modules but ourselves; at most `room` are taken. */
unsigned int rtrace_modules_get(struct module **modules, unsigned int room);
void rtrace_module_put(struct module *module);
int rtrace_modules_watch(void);
void rtrace_modules_unwatch(void);

/* ---- the module's own ftrace_ops: see ftrace.c --------------------- */

/*
 * Preemption off before, on afterwards. The long way; and any way, with its time
 * measured.
 */
void rtrace_entry_long(unsigned long ip, const void *regs);
void rtrace_entry_measured(unsigned long ip, const void *regs);
/* The kernel wants to schedule, now that preemption is on again. */
void rtrace_schedule(void);

/* Calls rtrace_on_call_site(). */
struct ftrace_ops *rtrace_ops_of_entries(void);
int rtrace_ops_add(struct ftrace_ops *ops, unsigned long *ips, unsigned int count);
int rtrace_ops_remove(struct ftrace_ops *ops, unsigned long *ips, unsigned int count);
int rtrace_ops_register(struct ftrace_ops *ops);
int rtrace_ops_unregister(struct ftrace_ops *ops);
/* The module cannot be unloaded any more. Task context. */
void rtrace_stay(void);
/* When it returns, handlers that had begun before have ended. Task context. */
void rtrace_wait_for_handlers(void);

/* ---- the stub: see arch/stub.S, stub.c, frames.c ------------------- */

/* Calls rtrace_stub. */
struct ftrace_ops *rtrace_ops_of_stub(void);
/* Some task may be in this module's text until rtrace_stub_stop(). */
void rtrace_stub_is_used(void);
/* Whether something else is called directly at a site. */
bool rtrace_has_direct_call(unsigned long ip);
/* Whether the administrator lets it be used. */
bool rtrace_stub_is_allowed(void);
/* Which functions he says it may serve beyond those that are known: MODULE:FUNCTION
 * globs, by commas. */
const char *rtrace_stub_also(void);
/* The module stays, from before the stub is attached until its last call is over. */
int rtrace_stub_hold(void);
void rtrace_stub_let_go(void);
void rtrace_stub_stop(void);
/* Returns when all have left the text of stubs who were there. Task context. */
void rtrace_stubs_are_left(void);
/* Where the kernel has what is told it here; its symbols are not exported. */
void rtrace_stacks_are_at(unsigned long irqs, unsigned long exceptions);
void rtrace_text_is_at(unsigned long start, unsigned long end);
void rtrace_direct_calls_are_told_by(unsigned long function);
void rtrace_static_calls_are_told_by(unsigned long function);

/* The function of its ftrace_ops, and of a slot stub's. */
struct ftrace_regs;
void rtrace_stub_listed(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			struct ftrace_regs *fregs);

/* ---- slot stubs, below RTRACE_SLOT_STUBS: see arch/slot.S, slot.c ---------- */

/* Whether sites can jump to them on this kernel and processor, and the administrator
 * lets them be used. */
bool rtrace_slots_are_there(void);
/* Jumps to it. */
struct ftrace_ops *rtrace_ops_of_slot(u32 number);
/* Whether one of them has that ftrace_ops. */
bool rtrace_is_slot_ops(u64 ops);
/* Where the static call of one is patched besides where it is called. */
unsigned long rtrace_slot_trampoline(u32 number);
/* It is about to serve this site; nobody is in it who came from another. */
void rtrace_slot_serve(u32 number, unsigned long site);
/* Where the table has the site that it serves; NULL: it must look for it. */
void rtrace_slot_is_at(u32 number, const struct rtrace_slot *slot);
/* Sites jump to it no more. Tells a turn, from which on nobody is in it. */
u64 rtrace_slot_leave(void);
bool rtrace_slot_is_left(u64 turn);
void rtrace_slots_stop(void);

/* Whether a frame may lie here, on a stack that is not the task's: preemption off. */
bool rtrace_has_room(unsigned long sp);

/* Called by the stub: the long way of its halves. Preemption is off before. */
u32 rtrace_stub_enter_long(struct rtrace_frame *frame, unsigned long bp, u32 result);
void rtrace_stub_exit_long(struct rtrace_frame *frame, u64 value, unsigned long bp);

/* ---- fprobe: see ftrace.c ----------------------------------------- */

struct rtrace_fprobe;
/* Follows calls of `ips` to their return; `owner` comes back in both handlers. */
int rtrace_fprobe_register(u64 owner, unsigned long *ips, unsigned int count,
			   struct rtrace_fprobe **out);
void rtrace_fprobe_unregister(struct rtrace_fprobe *fprobe);
struct fprobe;
/* Whether its handlers are those that rtrace_fprobe_register() gives. */
bool rtrace_is_own_fprobe(const struct fprobe *fprobe);

/* ---- the clock ----------------------------------------------------------- */

/*
 * The processor's counter and CLOCK_MONOTONIC at the same moment; false: the
 * kernel does not take its time from that counter. Task context.
 */
bool rtrace_clock_snapshot(u64 *cycles, u64 *ns);
/* The machine is about to sleep, or has woken up. Task context. */
void rtrace_on_power_event(bool sleeps);
int rtrace_clock_watch(void);
void rtrace_clock_unwatch(void);

/* ---- per-CPU memory ------------------------------------------------------ */

/* Zeroed, and charged to the caller's memcg. Task context. */
void *rtrace_percpu_alloc(size_t size, size_t align);
void rtrace_percpu_free(void *percpu);
/* One word of 0 that nobody ever changes. */
void *rtrace_closed_line(void);
/* A CPU's own, of a CPU that there can be. Any context. */
void *rtrace_percpu_of(void *percpu, u32 cpu);

/* ---- CPUs -------------------------------------------------------------- */

void rtrace_cpus_lock(void);
void rtrace_cpus_unlock(void);
u32 rtrace_cpu_limit(void);
bool rtrace_cpu_possible(u32 cpu);
bool rtrace_cpu_online(u32 cpu);
/* Runs `set` on that CPU in task context, between two handlers; CPUs locked. */
int rtrace_cpu_call(u32 cpu, int (*set)(void *), void *data);
int rtrace_cpus_watch(void);
void rtrace_cpus_unwatch(void);
/* Others get this one first, if they wait for it. Task context. */
void rtrace_give_way(void);

/* ---- tasks ------------------------------------------------------------- */

/* ns of the current task's start; with its tid it names a task for good. */
u64 rtrace_current_start(void);
/* Words of struct rtrace_record_called from `uid` on; any context. */
struct rtrace_who {
	u32 uid;
	u64 execname[2];
};
void rtrace_who(struct rtrace_who *who);
bool rtrace_task_alive(u32 tid, u64 start);
/* The thread group id in the initial pid namespace, or 0. */
u32 rtrace_find_process(s32 pid);
/* Calls `each` for each process with its parent, which comes before it. Task context. */
void rtrace_each_process(void (*each)(void *data, u32 process, u32 parent), void *data);
int rtrace_forks_watch(void);
void rtrace_forks_unwatch(void);

/* ---- opening: see access.c ----------------------------------------- */

bool rtrace_may_read(const struct file *file);
bool rtrace_may_write(const struct file *file);
/* Whether the kernel is locked down for tracing. */
bool rtrace_locked_down(void);

/* Who opened a node: credentials, address space, and the node's path. */
struct rtrace_opener;
struct rtrace_facts {
	u32 uid; /* real; ids are those of the initial user namespace */
	u32 auid;
	u32 ses;
	u32 pid;
	bool initial;	   /* in the initial user namespace */
	bool plain;	   /* all its user ids are one, all its group ids, too */
	bool admin;	   /* CAP_SYS_ADMIN */
	bool unlimited;	   /* CAP_SYS_RESOURCE */
	char comm[16];
};
/* Of the current task. */
void rtrace_facts(struct rtrace_facts *facts);
/* Whether who runs is to end at once. Task context. */
bool rtrace_is_killed(void);
/* The file is being opened by the current task. NULL: no memory. */
struct rtrace_opener *rtrace_opener_new(struct file *file);
void rtrace_opener_free(struct rtrace_opener *opener);
/* Whether the node still admits the opener as it opened it. Task context. */
bool rtrace_opener_admitted(const struct rtrace_opener *opener);
/* Whether the current task is of the process that opened it, with its ids. */
bool rtrace_opener_is_current(const struct rtrace_opener *opener);
bool rtrace_current_is_admin(void);
/* Whether the current task is the opener's own. Task context, preemption off. */
bool rtrace_opener_owns_current(const struct rtrace_opener *opener);
/* The same of a task that was interrupted in user space. Hard interrupt. */
bool rtrace_opener_owns_interrupted(const struct rtrace_opener *opener,
				    const struct rtrace_place *place);

/* ---- the guard: see access.c --------------------------------------- */

int rtrace_guard_start(void);
void rtrace_guard_stop(void);
/* There is something to guard. Task context. */
void rtrace_guard_wake(void);
/* Something is dead, or closed for good. Any context but NMI. */
void rtrace_undertaker_wake(void);

/* ---- what the admin allows (module_param): see limits.c -------------- */

struct rtrace_limits {
	u32 sessions; /* 0: none, here and below */
	u32 probes;
	u32 patterns;
	u32 clock_hz;
	u64 clock_time; /* ns of each second */
	u64 memory; /* bytes */
	u64 events; /* a second */
	u64 silence; /* ns */
	u32 burden_percent;
	u64 burden_time; /* ns */
};
void rtrace_limits(struct rtrace_limits *limits);

/* ---- the audit trail: see access.c ----------------------------------- */

/* `text` is one record, terminated; `wait`: the caller may sleep for long. */
void rtrace_audit(const char *text, bool wait);
/* Whether one more record may be written without waiting. */
bool rtrace_audit_has_room(void);

/* ---- names of addresses --------------------------------------------------- */

#define RTRACE_SYMBOL_ROOM 768
/* Fills `buf` (RTRACE_SYMBOL_ROOM) and returns the length; 0: no symbol. */
u32 rtrace_symbol(unsigned long address, char *buf);

/* ---- memory that user space maps: see reader.c ---------------------- */

void *rtrace_pages_alloc(unsigned long bytes);
void rtrace_pages_free(void *pages);
/* What user space asked for: offset and length in bytes, and the rights. */
struct rtrace_mapping {
	u64 offset;
	u64 length;
	bool shared;
	bool write;
	bool exec;
};
void rtrace_mapping(const struct vm_area_struct *vma,
		    struct rtrace_mapping *mapping);
int rtrace_map(struct vm_area_struct *vma, void *pages, bool writable);

/* ---- sorting ------------------------------------------------------------ */

void rtrace_sort(void *base, size_t count, size_t size,
		 int (*compare)(const void *, const void *, const void *),
		 const void *data);

/* ---- waiting: see reader.c ----------------------------------------- */

struct rtrace_waiter;
struct rtrace_waiter *rtrace_waiter_new(void);
void rtrace_waiter_free(struct rtrace_waiter *waiter);
/* Any context up to NMI. */
void rtrace_waiter_wake(struct rtrace_waiter *waiter);
/* The same from where no handler is said to be at work. Preemption off. */
void rtrace_waiter_wake_shielded(struct rtrace_waiter *waiter);
void rtrace_waiter_poll(struct rtrace_waiter *waiter, struct file *file,
			struct poll_table_struct *table);

#endif /* RUST_TRACER_SHIM_H */
