/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the views (detect/) are told by C: the kernel's own structures, read as they
 * are and flattened into facts. All in task context; those that take one of the
 * kernel's locks say which.
 */
#ifndef RUST_TRACER_SHIM_DETECT_H
#define RUST_TRACER_SHIM_DETECT_H

struct file;
struct module;

/*
 * Where the kernel has what it does not export: addresses by its symbols; 0: it has
 * no such symbol. RTRACE_SEVERAL: it has several, of which none is known.
 */
#define RTRACE_SEVERAL 1u
struct rtrace_landmarks {
	unsigned long text, text_end, init_text, init_text_end, image_end;
	unsigned long rodata, rodata_end;
	unsigned long modules, module_mutex, module_tree, module_kset, module_of_address;
	unsigned long ops, ops_end, ftrace_lock, ftrace_pages, ftrace_trampolines, ftrace_enabled;
	unsigned long kprobes, kprobe_mutex, kprobe_several, kprobe_return, kprobe_slots, kprobe_detours;
	unsigned long bpf_packs, bpf_packs_mutex, bpf_symbols;
	unsigned long jumps, jumps_end, calls, calls_end, jumps_told_by, calls_told_by;
	unsigned long jumps_lock, jumps_unlock;
	unsigned long tracepoints_mutex, tracepoint_modules, tracepoint_modules_mutex;
	unsigned long kexec_image, kexec_crash_image, kexec_text;
	unsigned long hypercall_page;
	unsigned long real_mode, taints, tasks_lock, task_groups, task_groups_lock, init_mm;
	unsigned long register_kprobe, register_kretprobe, register_kprobes, register_kretprobes;
	unsigned long register_fprobe, register_fprobe_syms, register_fprobe_ips;
	unsigned long static_call_text, ftrace_call, ftrace_regs_call;
	unsigned long fprobes, fprobe_mutex, graph_users, decode;
	/* Chains of notifiers, by their symbols. */
	unsigned long die_chain, panic_notifier_list, restart_handler_list;
	unsigned long keyboard_notifier_list, vt_notifier_list, netevent_notif_chain;
	unsigned long inet6addr_chain, module_notify_list, tracepoint_notify_list;
	unsigned long reboot_notifier_list, pm_chain_head, oom_notify_list, inetaddr_chain;
	unsigned long netdev_chain;
	unsigned long timers, hrtimers, packet_types, protocols, protocols6, input_handlers, n_tty_ops;
	unsigned long softirqs, elf_format, script_format;
};

/* Once, at load. */
void rtrace_landmarks_are(const struct rtrace_landmarks *landmarks);

/* Functions of the kernel's that say where it patches its text. */
void rtrace_patches_are_told_by(const struct rtrace_landmarks *at);
/* The kernel's function that decodes instructions. */
void rtrace_instructions_are_told_by(unsigned long decode);

/* Called with one fact. May hold a lock that spins: it neither sleeps nor allocates. */
typedef void (*rtrace_each)(void *data, const void *fact);

/* Memory that may be anything. False: not all of it can be read. */
bool rtrace_copy_kernel(void *to, u64 from, u32 bytes);
/* A hash by a key that nobody knows and that lasts as long as the module. */
u64 rtrace_hash(const void *from, size_t bytes);

/* ---- modules ------------------------------------------------------------------ */

#define RTRACE_MODULE_RANGES 7
#define RTRACE_MODULE_TEXT 0
#define RTRACE_MODULE_INIT_TEXT 4
#define RTRACE_MODULE_IS_TEXT(range) \
	((range) == RTRACE_MODULE_TEXT || (range) == RTRACE_MODULE_INIT_TEXT)

struct rtrace_module_fact {
	u64 structure;
	u64 base[RTRACE_MODULE_RANGES];
	u64 bytes[RTRACE_MODULE_RANGES];
	u64 taints;
	u32 state;
	u32 held; /* its count of references */
	u32 initialised; /* the kernel is done with its initialisation, and about to free what it was for */
	u32 reserved;
	u8 name[64];
};

u64 rtrace_own_module(void);
/* False: there is no memory at that address. */
bool rtrace_module_fact(u64 structure, struct rtrace_module_fact *fact);
/* Facts of the modules that each of the three knows. 0, or why they cannot be told. */
int rtrace_modules_by_list(rtrace_each each, void *data);  /* module_mutex */
int rtrace_modules_by_kset(rtrace_each each, void *data);  /* the kset's spinlock */
int rtrace_modules_by_tree(rtrace_each each, void *data);  /* module_mutex */
/* The address of the struct module that the kernel says has the address, or 0. */
u64 rtrace_module_of(u64 address);

/* ---- ranges of text that are nobody's functions ----------------------------------- */

struct rtrace_range_fact {
	u64 start;
	u64 bytes;
	u32 kind; /* RTRACE_OWNER_* */
	u32 reserved;
	u8 name[64];
};

/* Trampolines, slots, BPF. Parts that the kernel does not tell are left out. */
int rtrace_each_range(rtrace_each each, void *data);

/* ---- ftrace ---------------------------------------------------------------------- */

struct rtrace_ops_fact {
	u64 ops;
	u64 flags;
	u64 functions;
	u64 func;
	u64 saved_func; /* what it was when it was registered */
	u64 direct;	/* what is called directly in its place, or 0 */
	u64 trampoline;
};

/* In the order of ftrace's list; ftrace_lock. */
int rtrace_each_ops(rtrace_each each, void *data);
/* Whether this module has that ops. */
bool rtrace_is_own_ops(u64 ops);
/* The first: FTRACE_OPS_FL_DIRECT. */
u64 rtrace_ops_direct_flag(void);

struct rtrace_hook_fact {
	u64 ops;
	u64 site;
	u64 direct;
};

/* The functions that each ops on the list has in its filter; ftrace_lock. */
int rtrace_each_hook(rtrace_each each, void *data);

struct rtrace_site_fact {
	u64 site;
	u32 record; /* RTRACE_REC_* */
	u32 users;
};

/* All functions that ftrace knows; ftrace_lock: nothing of ftrace's is being patched. */
int rtrace_each_site(rtrace_each each, void *data);
/* Those of a module that is coming: in its notifier. */
void rtrace_each_site_of(const struct module *module, rtrace_each each, void *data);

/* Whether the kernel patches the byte there: branches and calls that change. */
bool rtrace_is_patched_by_kernel(u64 address);

struct rtrace_patched_fact {
	u64 address;
	u64 call; /* 1: a call, 0: a jump */
};

/* Where the kernel patches its own text, or (own) this module's. */
int rtrace_each_patched(bool own, rtrace_each each, void *data);

u32 rtrace_ftrace_enabled(void);

/* ---- kprobes ------------------------------------------------------------------------ */

struct rtrace_kprobe_fact {
	u64 address;
	u64 probe;
	u64 handler;
	u32 flags;
	u32 aggregate;
	u8 symbol[64];
	u8 opcode;    /* what stood there */
	u8 optimized; /* 1: a jump stands there, */
	u8 copied[4]; /* and what stood behind the opcode */
	u8 reserved[2];
};

int rtrace_each_kprobe(rtrace_each each, void *data); /* kprobe_mutex */

/* ---- pages ----------------------------------------------------------------------------- */

struct rtrace_pages_fact {
	u64 start;
	u64 bytes;
	u64 writable;
};

/*
 * Executable pages of the kernel's part of the page table, in runs in order of their
 * addresses; init_mm's lock.
 */
int rtrace_each_executable(rtrace_each each, void *data);

#define RTRACE_PAGE_MAPPED 1u
#define RTRACE_PAGE_EXECUTABLE 2u
/* RTRACE_PAGE_* of the kernel's address. */
u32 rtrace_page_is(u64 address);

/* ---- CPUs -------------------------------------------------------------------------------- */

#define RTRACE_BREAKPOINTS 4

struct rtrace_cpu_fact {
	u64 watched[RTRACE_BREAKPOINTS]; /* by hardware breakpoints that are enabled, or 0 */
	u64 syscall;
	u64 compat;
	u64 sysenter;
	u64 idt;
	u32 idt_bytes;
	u32 cr0_wp;
	u32 off; /* RTRACE_CPU_* */
	u32 reserved;
};

/* CPUs locked. */
int rtrace_cpu_fact(u32 cpu, struct rtrace_cpu_fact *fact);

/* ---- tracepoints ----------------------------------------------------------------------------- */

struct rtrace_tracepoint_fact {
	u64 func;
	u64 data;
	u8 name[64];
};

int rtrace_each_tracepoint(rtrace_each each, void *data); /* tracepoints_mutex */

/* ---- tasks --------------------------------------------------------------------------------------- */

#define RTRACE_LOOK_MS 200

struct rtrace_task_fact {
	u64 structure;
	u32 pid;
	u32 tgid;
	u32 seen; /* RTRACE_TASK_* */
	u32 uid;
	u8 comm[16];
};

/* A fact for each way that knows a task. Looks at who runs for RTRACE_LOOK_MS; tasklist_lock. */
int rtrace_each_task(rtrace_each each, void *data);

/* ---- what else the kernel calls ------------------------------------------------------------------- */

struct rtrace_callback_fact {
	u64 at;
	u64 func;
	u32 kind; /* RTRACE_CALLBACK_* */
	u32 reserved;
	u8 name[64];
};

/* Some may be told twice. fprobe_mutex, ftrace_lock, tracepoints_mutex, each for itself; timers' locks. */
int rtrace_each_callback(rtrace_each each, void *data);

/* How many fprobes of this module the kernel would call, or -EOPNOTSUPP; fprobe_mutex. */
int rtrace_own_fprobes(void);

struct rtrace_lead_fact {
	u64 at;
	u64 target;
};

/*
 * Bytes of the kernel's text that could be an instruction which leads out of the kernel's
 * image: most are none, or lead where nothing is. Takes no lock.
 */
int rtrace_each_lead(rtrace_each each, void *data);
/* Bytes of the instruction that begins there; 0: none does. */
u32 rtrace_instruction_bytes(const u8 *text, u32 room);

/* ---- a file ------------------------------------------------------------------------------------------ */

struct rtrace_pointer_fact {
	u8 name[32];
	u64 value;
};

/* -EBADF: no such file. */
int rtrace_each_pointer(s32 fd, rtrace_each each, void *data);

/* ---- taints ------------------------------------------------------------------------------------------- */

/* Of the kernel, as the functions that it exports tell, and as they stand in its memory. */
u64 rtrace_taints_told(void);
u64 rtrace_taints(void);

#endif /* RUST_TRACER_SHIM_DETECT_H */
