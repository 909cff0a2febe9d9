/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What the kernel says of itself: the facts from which `rtctl check` and
 * `rtctl hooks` judge. The module tells what it finds, by ways of its own that
 * nobody filters; whoever reads compares it with what the same kernel says
 * elsewhere. The module judges nothing.
 *
 * Included by <rust_tracer.h>, whose rules hold here as well.
 */
#ifndef _UAPI_RUST_TRACER_VIEWS_H
#define _UAPI_RUST_TRACER_VIEWS_H

#include <linux/types.h>

/* ---- whose an address is ------------------------------------------------- */

#define RTRACE_OWNER_NONE 0u	   /* nobody owns what is there */
#define RTRACE_OWNER_KERNEL 1u	   /* the kernel's own text */
#define RTRACE_OWNER_MODULE 2u	   /* a module's text, which is on the list of modules */
#define RTRACE_OWNER_HIDDEN 3u	   /* a module's text, which is known but not on that list */
#define RTRACE_OWNER_GONE 4u	   /* the text of a module that has gone, or was never loaded whole */
#define RTRACE_OWNER_FTRACE 5u	   /* a trampoline of ftrace's */
#define RTRACE_OWNER_KPROBE 6u	   /* a slot of kprobes' */
#define RTRACE_OWNER_BPF 7u	   /* a BPF program, trampoline or dispatcher */
#define RTRACE_OWNER_INIT 8u	   /* the kernel's text for booting */
#define RTRACE_OWNER_DATA 9u	   /* the kernel's or a module's, not text */
#define RTRACE_OWNER_THUNK 10u	   /* a page of thunks that the kernel made for returns and jumps */
#define RTRACE_OWNER_ZERO 11u	   /* address 0 */

#define RTRACE_OWNER_NAME 64u /* bytes of a name, with its terminator */

/* Whose an address is, and by how many independent ways it was found. */
struct rtrace_owner {
	__u64 address;
	__u64 base;  /* of the text or range that has it, or 0 */
	__u32 kind;  /* RTRACE_OWNER_* */
	__u32 seen;  /* for modules: RTRACE_SEEN_*, else 0 */
	char name[RTRACE_OWNER_NAME]; /* the module's or the range's, or empty */
};

/* Needs read, and the node kernel. Fills in all but `address`. */
struct rtrace_owners {
	__u32 size;  /* in: sizeof(struct rtrace_owners) */
	__u32 flags; /* in: 0 */
	__u64 buf;   /* in: pointer to struct rtrace_owner[count]; out: filled in */
	__u32 count; /* in: at most RTRACE_OWNERS_MAX (-E2BIG) */
	__u32 reserved; /* in: 0 */
};

#define RTRACE_OWNERS_MAX 4096u

/* ---- views ---------------------------------------------------------------- */

#define RTRACE_VIEW_MODULES 0u	   /* struct rtrace_view_module */
#define RTRACE_VIEW_OPS 1u	   /* struct rtrace_view_ops */
#define RTRACE_VIEW_SITES 2u	   /* struct rtrace_view_site */
#define RTRACE_VIEW_KPROBES 3u	   /* struct rtrace_view_kprobe */
#define RTRACE_VIEW_TEXT 4u	   /* struct rtrace_view_text */
#define RTRACE_VIEW_CPUS 5u	   /* struct rtrace_view_cpu */
#define RTRACE_VIEW_TRACEPOINTS 6u /* struct rtrace_view_tracepoint */
#define RTRACE_VIEW_TASKS 7u	   /* struct rtrace_view_task */
#define RTRACE_VIEW_SELF 8u	   /* struct rtrace_view_self, one row */
#define RTRACE_VIEW_FILE 9u	   /* struct rtrace_view_pointer: the file `fd`'s */
#define RTRACE_VIEW_SYSCALLS 10u   /* struct rtrace_view_text_of */
#define RTRACE_VIEW_HOOKS 11u	   /* struct rtrace_view_hook */
#define RTRACE_VIEW_CALLBACKS 12u  /* struct rtrace_view_callback */

/*
 * Needs read, and the node kernel: rows of a view, as it is when the first are
 * asked for. All rows of a view are equally long.
 */
struct rtrace_view {
	__u32 size;	/* in: sizeof(struct rtrace_view) */
	__u32 flags;	/* in: 0 */
	__u32 view;	/* in: RTRACE_VIEW_* (-EINVAL: unknown) */
	__s32 fd;	/* in: for RTRACE_VIEW_FILE, an open file; else 0 */
	__u64 buf;	/* in: pointer to the buffer */
	__u64 buf_len;	/* in: bytes; must hold at least one row (-ENOSPC) */
	__u64 cursor;	/* in: 0 to begin; out: where to go on, 0 at the end */
	__u64 filled;	/* out: bytes written */
	__u32 count;	/* out: rows written */
	__u32 row_size;	/* out: bytes of a row */
	__u64 reserved;	/* in: 0 */
};

/* How a module is known. A module in its life is known by all of the first five,
 * but for INSTALLED if it came before us. */
#define RTRACE_SEEN_LIST (1u << 0)	/* on the kernel's list of modules */
#define RTRACE_SEEN_KSET (1u << 1)	/* it has its object below /sys/module */
#define RTRACE_SEEN_TREE (1u << 2)	/* the kernel's tree of modules' addresses has it */
#define RTRACE_SEEN_RESOLVES (1u << 3)	/* the kernel names addresses of its text as its */
#define RTRACE_SEEN_LIVE (1u << 4)	/* its state is live */
#define RTRACE_SEEN_CAME (1u << 5)	/* we were told that it came */
#define RTRACE_SEEN_WENT (1u << 6)	/* we were told that it went */
#define RTRACE_SEEN_AT_LOAD (1u << 7)	/* it was there when we were loaded */
#define RTRACE_SEEN_TEXT (1u << 8)	/* its text is mapped, and executable */
/*
 * When it came (or we) it had kallsyms_lookup_name among its strings, and called what
 * registers kprobes or fprobes; of one that was initialised already, the first is enough.
 */
#define RTRACE_SEEN_HUNTS (1u << 9)
/* There is code behind what was the end of its text when it came (or we), or it has text for an initialisation that is over. */
#define RTRACE_SEEN_GREW (1u << 10)
/* It has lost bits of its taints; `taints` has them. */
#define RTRACE_SEEN_CLEANED (1u << 11)
/* Its initialisation was over when we saw it, or were told so. */
#define RTRACE_SEEN_LIVED (1u << 12)
/* It has not been given up: somebody holds it, or it may be held. Who unloads a module gives it up first. */
#define RTRACE_SEEN_HELD (1u << 13)

/* A module that any of these ways knows: our ledger, which forgets none that has not gone. */
struct rtrace_view_module {
	char name[RTRACE_OWNER_NAME];
	__u64 structure; /* address of its struct module */
	__u64 base;	 /* of its text */
	__u64 bytes;	 /* of its text */
	__u64 came;	 /* CLOCK_MONOTONIC, ns; 0: before us */
	__u64 went;	 /* the same; 0: it has not */
	__u64 taints;	 /* as in /sys/module/NAME/taint, bits */
	__u32 seen;	 /* RTRACE_SEEN_* */
	__u32 state;	 /* of its struct module: 0 live, 1 coming, 2 going, 3 unformed */
};

/* An ftrace_ops on ftrace's list, in its order. */
struct rtrace_view_ops {
	__u64 ops;	  /* its address */
	__u64 flags;	  /* FTRACE_OPS_FL_* of this kernel */
	__u64 functions;  /* that its filter names; 0: all, or none that is named */
	struct rtrace_owner func;	/* of what is called */
	struct rtrace_owner trampoline; /* of its own trampoline, if it has one */
	struct rtrace_owner structure;	/* of the structure itself: whose data */
	__u32 ours;	  /* 1: it is this module's */
	__u32 reserved;
};

/* A function that an ftrace_ops on ftrace's list is to be called for. */
struct rtrace_view_hook {
	__u64 ops;	  /* as in RTRACE_VIEW_OPS */
	__u64 site;	  /* 0: its filter names none, so it is for all functions */
	struct rtrace_owner direct; /* of what is called directly for it, or of kind ZERO */
};

/* What stands at a function's site. */
#define RTRACE_SITE_IDLE 0u	/* nothing: a nop */
#define RTRACE_SITE_CALL 1u	/* a call */
#define RTRACE_SITE_JUMP 2u	/* a jump */
#define RTRACE_SITE_TRAP 3u	/* int3: being patched, or a kprobe */
#define RTRACE_SITE_OTHER 4u	/* anything else */

/* What ftrace's record of the function says. */
#define RTRACE_REC_ENABLED (1u << 0)
#define RTRACE_REC_REGS (1u << 1)
#define RTRACE_REC_IPMODIFY (1u << 2)
#define RTRACE_REC_DIRECT (1u << 3)
#define RTRACE_REC_TRAMPOLINE (1u << 4)
#define RTRACE_REC_OPS (1u << 5) /* by a pointer to its ops */
#define RTRACE_REC_DISABLED (1u << 6)

/*
 * A function that something is attached to, by its record or by its text; or
 * whose first bytes are not what they were when this module saw them first.
 */
struct rtrace_view_site {
	__u64 site;	 /* address of the site */
	__u64 function;	 /* of the function's first byte */
	struct rtrace_owner target; /* of where the call or jump at the site goes */
	__u32 site_has;	 /* RTRACE_SITE_* */
	__u32 record;	 /* RTRACE_REC_* */
	__u32 users;	 /* ftrace_ops, by the record */
	/*
	 * Bit N: byte N from the function's first one on differs from the first time, is not
	 * of the site, and is none that the kernel itself patches.
	 */
	__u32 changed;
	__u8 bytes[24];	 /* from the function's first byte on */
	__u8 first[24];	 /* the same, when this module saw it first */
};

struct rtrace_view_kprobe {
	__u64 address;	/* where it is */
	__u64 probe;	/* of its struct kprobe */
	struct rtrace_owner handler;  /* of the handler before; of none: the one after */
	struct rtrace_owner structure; /* of the structure: whose data */
	__u32 flags;	/* KPROBE_FLAG_* */
	__u32 aggregate; /* 1: there are several at this address */
	char symbol[RTRACE_OWNER_NAME]; /* the name that was asked for, or empty */
};

/* Executable memory outside the kernel's own text, in pages that lie together and are one owner's. */
struct rtrace_view_text {
	__u64 start;
	__u64 bytes;
	struct rtrace_owner owner;
	__u64 code;	/* bytes there that are not 0, nor int3 */
	__u32 writable; /* 1: some of it is writable as well */
	__u32 reserved;
};

/* What the processor has, the kernel has use for, and is switched off on a CPU. */
#define RTRACE_CPU_SMEP (1u << 0) /* the kernel does not run what is user space's, */
#define RTRACE_CPU_SMAP (1u << 1) /* and does not touch it by mistake */
#define RTRACE_CPU_UMIP (1u << 2) /* user space is not told where the kernel's tables are */
#define RTRACE_CPU_MASK (1u << 3) /* a system call begins without interrupts, and with SMAP */
#define RTRACE_CPU_LENT (1u << 4) /* not a protection: its registers for system calls are a virtual machine's */

/* Where a CPU goes by itself. */
struct rtrace_view_cpu {
	__u32 cpu;
	__u32 handlers;	 /* interrupt gates that are present */
	struct rtrace_owner syscall;   /* MSR_LSTAR */
	struct rtrace_owner compat;    /* MSR_CSTAR */
	struct rtrace_owner sysenter;  /* MSR_IA32_SYSENTER_EIP */
	struct rtrace_owner idt;       /* the table of interrupt gates */
	struct rtrace_owner foreign;   /* the first gate that leads neither into KERNEL nor into INIT; or ZERO */
	__u32 foreign_vector;
	__u32 cr0_wp;	 /* 1: the kernel cannot write what is read-only */
	__u64 idt_hash;	 /* of all gates: equal on all CPUs */
	__u32 off;	 /* RTRACE_CPU_* */
	__u32 reserved;
};

struct rtrace_view_tracepoint {
	char name[RTRACE_OWNER_NAME];
	struct rtrace_owner func; /* one row for each that is registered */
	__u64 data;
	__u32 ours;
	__u32 reserved;
};

#define RTRACE_TASK_LISTED (1u << 0)  /* reached from init's list of tasks */
#define RTRACE_TASK_THREAD (1u << 1)  /* on its process's list of threads */
#define RTRACE_TASK_PID (1u << 2)     /* its number leads to it */
#define RTRACE_TASK_RAN (1u << 3)     /* a CPU ran it, or was about to, while we looked */
#define RTRACE_TASK_CHILD (1u << 4)   /* on its parent's list of children (leaders) */
#define RTRACE_TASK_EXITING (1u << 5) /* it ends */
#define RTRACE_TASK_KERNEL (1u << 6)  /* a thread of the kernel's */
#define RTRACE_TASK_GROUPED (1u << 7) /* on its control groups' list of tasks */

/* A task that any of these ways knows. */
struct rtrace_view_task {
	__u64 structure;
	__u32 pid; /* of the thread, initial pid namespace */
	__u32 tgid;
	__u32 seen; /* RTRACE_TASK_* */
	__u32 uid;
	char comm[16];
};

/*
 * A pointer that a file's operations are reached by, one row for each that is not 0; a
 * socket's as well.
 */
struct rtrace_view_pointer {
	char name[32]; /* "f_op", "f_op.read_iter", "seq_operations.show", "sk_prot.recvmsg", ... */
	struct rtrace_owner value;
};

/*
 * The text of a system call's function, or of what dispatches them; and behind these a
 * row for each 256 bytes of the kernel's text that are not what they were, by the name of
 * the function that they begin in.
 */
struct rtrace_view_text_of {
	char name[RTRACE_OWNER_NAME];
	__u64 address;
	__u64 bytes;	/* up to the next symbol */
	__u64 hash;	/* of these bytes, without sites and what the kernel itself patches: 0 unknown */
	__u64 first_hash; /* the same when this module was loaded */
	__u8 head[32];	/* its first bytes */
};

/*
 * What the kernel calls by pointers that no other view has. `name` says more of it,
 * `at` is where the pointer, or what has it, is.
 */
#define RTRACE_CALLBACK_NOTIFIER 0u    /* of the chain `name` */
#define RTRACE_CALLBACK_FPROBE 1u      /* a handler of an fprobe: "entry" or "exit" */
#define RTRACE_CALLBACK_GRAPH 2u       /* of a user of function_graph, outside the kernel's text */
#define RTRACE_CALLBACK_THREAD 3u      /* what the kernel's thread `name` runs, likewise */
#define RTRACE_CALLBACK_STATIC_CALL 4u /* where a static call of the kernel's leads, likewise */
/*
 * A jump or a call, maybe by a register, in the kernel's text: `func` is outside of it,
 * and neither ftrace nor a static call nor a kprobe has put it there.
 */
#define RTRACE_CALLBACK_BRANCH 5u
/* What a hardware breakpoint watches in the kernel's memory, on the CPU `name`. */
#define RTRACE_CALLBACK_BREAKPOINT 6u
/*
 * On the kernel's stack of the task `name`: an address behind a call, in executable text
 * of nobody's or of a hidden module's.
 */
#define RTRACE_CALLBACK_STACK 7u
/* When time has passed: "timer", "delayed_work", "hrtimer"; outside the kernel's text. */
#define RTRACE_CALLBACK_TIMER 8u
/* When a packet comes: hooks of netfilter, packet types, a device's receiver; likewise. */
#define RTRACE_CALLBACK_PACKET 9u
/* When a key is pressed or a terminal is used: input handlers, n_tty; likewise. */
#define RTRACE_CALLBACK_INPUT 10u
/* By a pointer in the kernel's data that is read-only once it has booted; likewise. */
#define RTRACE_CALLBACK_CONSTANT 11u
/* By a table of the kernel's own that can be written, of which `name` is a member; likewise. */
#define RTRACE_CALLBACK_TABLE 12u
/*
 * At the tracepoint `name`, where that is not whom its list of functions says; or a
 * function of that list, where its switch is off, where the list is not one that the
 * kernel has allocated, or in the place of an event's own.
 */
#define RTRACE_CALLBACK_TRACEPOINT 13u
/* By an fprobe on the function with the site `at`: one of its handlers; outside the kernel's text, and not ours. */
#define RTRACE_CALLBACK_PROBED 14u

struct rtrace_view_callback {
	char name[RTRACE_OWNER_NAME];
	__u64 at;
	struct rtrace_owner func;
	__u32 kind; /* RTRACE_CALLBACK_* */
	__u32 reserved;
};

struct rtrace_view_self {
	__u64 text_hash;  /* of this module's text, but for what the kernel patches there */
	__u64 first_hash; /* the same when it was loaded */
	__u64 taints;	  /* of the kernel, bits */
	__u64 first_taints; /* when this module was loaded, its own included */
	__u64 lost_taints;  /* bits that were set at some time and are not now */
	__u32 ftrace_enabled; /* 1: it is */
	__u32 listed;	  /* RTRACE_SEEN_* of this module itself */
	__u32 ops_expected; /* ftrace_ops that we have registered */
	__u32 ops_found;    /* of these, on ftrace's list */
	__u32 sites_expected; /* functions that our sessions are attached to */
	__u32 sites_found;  /* of these, whose text leads to us */
	__u64 text_base;
	__u64 text_bytes;
	__u32 fprobes_expected; /* fprobes that we have registered */
	__u32 fprobes_found;	/* of these, in the kernel's table, with our handlers, and not disabled */
};

/* ---- text ------------------------------------------------------------------ */

/*
 * Needs read, and the node kernel: bytes of executable memory, by way of the
 * page table and not of /proc/kcore. -EFAULT: not all of it is executable.
 */
struct rtrace_text {
	__u32 size;	/* in: sizeof(struct rtrace_text) */
	__u32 flags;	/* in: 0 */
	__u64 address;	/* in */
	__u64 buf;	/* in: pointer to the buffer */
	__u64 buf_len;	/* in: bytes, at most RTRACE_TEXT_MAX (-E2BIG) */
};

#define RTRACE_TEXT_MAX 1048576u

#endif /* _UAPI_RUST_TRACER_VIEWS_H */
