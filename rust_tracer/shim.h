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
struct module;
struct poll_table_struct;
struct vm_area_struct;

/* ---- what a handler is told about the moment it fires ------------------- */

struct rtrace_moment {
	u32 cpu;
	u32 context; /* RTRACE_CONTEXT_* */
	u32 pid;
	u32 tid;
	bool recursed; /* one of our handlers is already at work in this context */
};

/* ---- Rust, called by the shim: preemption off, any context up to NMI ------ */

void rtrace_on_entry(unsigned long ip, const struct rtrace_moment *moment,
		     const void *regs);
/* Nonzero: keep no frame for this call. `frame` has room for 2 words. */
int rtrace_on_call(u64 owner, unsigned long ip,
		   const struct rtrace_moment *moment, u64 *frame);
void rtrace_on_return(u64 owner, const struct rtrace_moment *moment, u64 value,
		      const u64 *frame);

/* ---- Rust, called by the shim: task context, may sleep ------------------ */

void rtrace_on_module_coming(struct module *module);
void rtrace_on_module_live(struct module *module);
void rtrace_on_module_going(struct module *module);
void rtrace_on_cpu_coming(u32 cpu);
/* Preemption off. */
void rtrace_on_fork(u32 parent, u32 child);

/* ---- registers ------------------------------------------------------- */

/* The function's first six integer arguments, at its entry. */
void rtrace_arguments(const void *regs, u64 *arguments);

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

/* ---- the module's own ftrace_ops ---------------------------------------- */

int rtrace_ops_add(unsigned long *ips, unsigned int count);
int rtrace_ops_remove(unsigned long *ips, unsigned int count);
int rtrace_ops_register(void);
int rtrace_ops_unregister(void);

/* ---- fprobe ------------------------------------------------------------ */

struct rtrace_fprobe;
/* Follows calls of `ips` to their return; `owner` comes back in both handlers. */
int rtrace_fprobe_register(u64 owner, unsigned long *ips, unsigned int count,
			   struct rtrace_fprobe **out);
void rtrace_fprobe_unregister(struct rtrace_fprobe *fprobe);

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

/* ---- tasks ------------------------------------------------------------- */

/* ns of the current task's start; with its tid it names a task for good. */
u64 rtrace_current_start(void);
bool rtrace_task_alive(u32 tid, u64 start);
/* The thread group id in the initial pid namespace, or 0. */
u32 rtrace_find_process(s32 pid);
/* Calls `each` for the process and all its descendants. */
void rtrace_descendants(u32 ancestor, void (*each)(void *, u32), void *data);
int rtrace_forks_watch(void);
void rtrace_forks_unwatch(void);

/* ---- opening ------------------------------------------------------------ */

#define RTRACE_OPEN_OK 0
#define RTRACE_OPEN_NAMESPACE 1
#define RTRACE_OPEN_LOCKDOWN 2
int rtrace_open_rule(const struct file *file);
bool rtrace_may_read(const struct file *file);
bool rtrace_may_write(const struct file *file);

/* ---- memory that user space maps ----------------------------------------- */

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

/* ---- waiting ------------------------------------------------------------ */

struct rtrace_waiter;
struct rtrace_waiter *rtrace_waiter_new(void);
void rtrace_waiter_free(struct rtrace_waiter *waiter);
/* Any context up to NMI. */
void rtrace_waiter_wake(struct rtrace_waiter *waiter);
void rtrace_waiter_poll(struct rtrace_waiter *waiter, struct file *file,
			struct poll_table_struct *table);

#endif /* RUST_TRACER_SHIM_H */
