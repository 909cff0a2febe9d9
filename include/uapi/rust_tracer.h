/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ABI between the rust_tracer kernel module and user space: the one
 * definition from which both sides generate their types (bindgen).
 *
 * Rules that hold for every structure below:
 *  - fields are of fixed width and naturally aligned, there is no implicit
 *    padding, and the layout is the same for 32-bit and 64-bit callers;
 *  - pointers travel as __u64;
 *  - `size` is the size of the structure as the caller knows it. A shorter
 *    structure than the module's is read as if it ended in zeroes; a longer one
 *    is accepted if all that the module does not know is zero (else -E2BIG);
 *  - reserved fields and unknown flag bits must be zero (else -EINVAL);
 *  - "in" fields are read by the module, "out" fields are written by it.
 *
 * A command that fails changes nothing, and leaves a sentence that says what
 * was asked, why not, and what to do (RTRACE_IOC_LAST_ERROR).
 *
 * Who may: the node's mode, when it is opened (EPERM besides: the kernel is
 * locked down, or the opener is in another user namespace; EDQUOT: too many
 * sessions). A command that needs write is carried out for the process alone
 * that opened the node, with the ids that it had then (else EPERM); one that
 * asks for what the node does not show is refused (EACCES). A session that was
 * ended by somebody else is dead: commands that need write fail (ECANCELED; but
 * STOP and REVOKE do not), and so do those that tell of more than the session
 * itself. What was recorded stays readable.
 *
 * docs/abi.md tells the same as a story, with an example reader.
 */
#ifndef _UAPI_RUST_TRACER_H
#define _UAPI_RUST_TRACER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "rust_tracer_program.h"
#include "rust_tracer_views.h"

/* A reader must refuse a major it does not know; minors only add. */
#define RTRACE_ABI_MAJOR 4
#define RTRACE_ABI_MINOR 8

#define RTRACE_NODE_DIR "/dev/rust_tracer"

/* ---- commands ---------------------------------------------------------- */

#define RTRACE_IOC_MAGIC 0xDB

/* Needs read: version, limits, features. Any state. */
#define RTRACE_IOC_INFO _IOWR(RTRACE_IOC_MAGIC, 0x00, struct rtrace_info)
/* Needs read: the functions that a pattern names. Any state. */
#define RTRACE_IOC_FUNCTIONS _IOWR(RTRACE_IOC_MAGIC, 0x01, struct rtrace_functions)
/* Needs write: add probes to the session. Idle only. */
#define RTRACE_IOC_ADD _IOWR(RTRACE_IOC_MAGIC, 0x02, struct rtrace_add)
/* Needs read: the probes of this session. Any state. */
#define RTRACE_IOC_PROBES _IOWR(RTRACE_IOC_MAGIC, 0x03, struct rtrace_probes)
/* Needs write: ring size, policy, watermark, frames. Idle only. */
#define RTRACE_IOC_CONFIG _IOWR(RTRACE_IOC_MAGIC, 0x04, struct rtrace_config)
/* Needs write: narrow to one process and its descendants. Idle only. */
#define RTRACE_IOC_TARGET _IOWR(RTRACE_IOC_MAGIC, 0x05, struct rtrace_target)
/* Needs write: allocate rings, attach, run. Idle only. */
#define RTRACE_IOC_START _IOWR(RTRACE_IOC_MAGIC, 0x06, struct rtrace_start)
/* Needs write: stop firing and detach; rings and ledger stay readable. */
#define RTRACE_IOC_STOP _IO(RTRACE_IOC_MAGIC, 0x07)
/* Needs read: state of the session and why it is in it. Any state. */
#define RTRACE_IOC_STATUS _IOWR(RTRACE_IOC_MAGIC, 0x08, struct rtrace_status)
/* Needs read: the ledger. Exact once the session is stopped. */
#define RTRACE_IOC_LEDGER _IOWR(RTRACE_IOC_MAGIC, 0x09, struct rtrace_ledger)
/* Needs nothing: the text of this session's last failed command. */
#define RTRACE_IOC_LAST_ERROR _IOWR(RTRACE_IOC_MAGIC, 0x0A, struct rtrace_error)
/* Needs read: the sessions that the caller may know of. Any state. */
#define RTRACE_IOC_SESSIONS _IOWR(RTRACE_IOC_MAGIC, 0x0B, struct rtrace_sessions)
/* Needs write: end sessions; an admin any, others their own. Any state. */
#define RTRACE_IOC_REVOKE _IOWR(RTRACE_IOC_MAGIC, 0x0C, struct rtrace_revoke)
/* Needs write: let the readers of this node observe the session. Not dead. */
#define RTRACE_IOC_PUBLISH _IOWR(RTRACE_IOC_MAGIC, 0x0D, struct rtrace_publish)
/* Needs read: observe a published session from here on. Idle, without probes. */
#define RTRACE_IOC_OBSERVE _IOWR(RTRACE_IOC_MAGIC, 0x0E, struct rtrace_observe)
/* Needs read: records of the session that is observed. Observers only. */
#define RTRACE_IOC_READ _IOWR(RTRACE_IOC_MAGIC, 0x0F, struct rtrace_read)
/* Needs read, and the node kernel: the name of a kernel address. Any state. */
#define RTRACE_IOC_SYMBOL _IOWR(RTRACE_IOC_MAGIC, 0x10, struct rtrace_symbol)
/* Needs read: the opener's limits and what is used of them. Any state. */
#define RTRACE_IOC_QUOTA _IOWR(RTRACE_IOC_MAGIC, 0x11, struct rtrace_quota)
/* Needs write: the session's program, in place of an earlier one. Idle only. */
#define RTRACE_IOC_PROGRAM _IOWR(RTRACE_IOC_MAGIC, 0x12, struct rtrace_program)
/* Needs write: add a probe of the module's own to the session. Idle only. */
#define RTRACE_IOC_ADD_OWN _IOWR(RTRACE_IOC_MAGIC, 0x13, struct rtrace_add_own)
/* Needs read: take what was aggregated on a CPU since the last time. */
#define RTRACE_IOC_AGGREGATE _IOWR(RTRACE_IOC_MAGIC, 0x14, struct rtrace_aggregate)
/* Needs read, and the node kernel: what the kernel says of itself. Any state. See <rust_tracer_views.h>. */
#define RTRACE_IOC_VIEW _IOWR(RTRACE_IOC_MAGIC, 0x15, struct rtrace_view)
/* Needs read, and the node kernel: whose addresses are. Any state. */
#define RTRACE_IOC_OWNERS _IOWR(RTRACE_IOC_MAGIC, 0x16, struct rtrace_owners)
/* Needs read, and the node kernel: bytes of executable memory. Any state. */
#define RTRACE_IOC_TEXT _IOWR(RTRACE_IOC_MAGIC, 0x17, struct rtrace_text)

/* ---- limits ------------------------------------------------------------ */

#define RTRACE_RING_MIN (64u * 1024u)		 /* bytes of data per CPU */
#define RTRACE_RING_MAX (1024u * 1024u * 1024u)	 /* bytes of data per CPU */
#define RTRACE_RING_DEFAULT (4u * 1024u * 1024u) /* DTrace's bufsize */
#define RTRACE_RECORD_MAX 32768u		 /* bytes of one record; an eighth of its ring at most */
#define RTRACE_PROBES_MAX 262144u		 /* probes of one session */
#define RTRACE_PATTERN_MAX 512u			 /* bytes of one glob */
#define RTRACE_PATTERN_SETS_MAX 64u		 /* bytes in its brackets */
#define RTRACE_NAME_MAX 512u			 /* bytes of one name */
#define RTRACE_FRAMES_DEFAULT 16384u		 /* calls in flight per session */
#define RTRACE_FRAMES_MAX 1048576u
#define RTRACE_SESSION_NAME_MAX 64u		 /* bytes of a published name */
#define RTRACE_SYMBOL_MAX 768u			 /* bytes of name, offset and module */
#define RTRACE_CPU_ALL 0xffffffffu		 /* a row that sums over all CPUs */
#define RTRACE_PROBE_ALL 0xffffffffu		 /* a row that sums over all probes */

/* ---- RTRACE_IOC_INFO --------------------------------------------------- */

#define RTRACE_FEATURE_ENTRY (1ull << 0)	/* fbt entry probes */
#define RTRACE_FEATURE_RETURN (1ull << 1)	/* fbt return probes */
#define RTRACE_FEATURE_LATE (1ull << 2)		/* modules loaded later are probed */
#define RTRACE_FEATURE_TARGET (1ull << 3)	/* RTRACE_IOC_TARGET */
#define RTRACE_FEATURE_OBSERVE (1ull << 4)	/* PUBLISH, OBSERVE, READ */
#define RTRACE_FEATURE_REVOKE (1ull << 5)	/* SESSIONS, REVOKE, QUOTA */
#define RTRACE_FEATURE_PROGRAM (1ull << 6)	/* PROGRAM, ADD_OWN, AGGREGATE */
#define RTRACE_FEATURE_VIEWS (1ull << 7)	/* VIEW, OWNERS, TEXT */

#define RTRACE_NODE_KERNEL 0u
#define RTRACE_NODE_SYSTEM 1u
#define RTRACE_NODE_USER 2u

#define RTRACE_CLOCK_MONOTONIC 1u /* record times are CLOCK_MONOTONIC, in ns */

struct rtrace_info {
	__u32 size;	   /* in: sizeof(struct rtrace_info) */
	__u32 flags;	   /* in: 0 */
	__u16 abi_major;   /* out: RTRACE_ABI_MAJOR of the module */
	__u16 abi_minor;   /* out: RTRACE_ABI_MINOR of the module */
	__u32 node;	   /* out: RTRACE_NODE_* through which this file was opened */
	__u64 features;	   /* out: RTRACE_FEATURE_* */
	__u32 clock;	   /* out: RTRACE_CLOCK_* */
	__u32 cpus;	   /* out: CPU numbers of this kernel are below this */
	__u32 page_size;   /* out: bytes; size of the status and consumer pages */
	__u32 functions;   /* out: functions known now, traceable ones only */
	__u64 ring_min;	   /* out: bytes of data per CPU */
	__u64 ring_max;	   /* out: bytes of data per CPU */
	__u32 probes_max;  /* out: probes in one session */
	__u32 frames_max;  /* out: calls in flight in one session */
	__u64 generation;  /* out: changes whenever a function comes or goes */
};

/* ---- RTRACE_IOC_FUNCTIONS ---------------------------------------------- */

/* In rtrace_functions.flags: list what cannot be traced as well, with reasons. */
#define RTRACE_FUNCTIONS_UNTRACEABLE (1u << 0)
/* In rtrace_functions.flags: append the other names of each function. */
#define RTRACE_FUNCTIONS_ALIASES (1u << 1)

/*
 * Fills a buffer with struct rtrace_function entries, one after the other, for
 * the functions that match. Call again with the returned cursor until it is 0.
 * A cursor goes stale when `generation` changes: then start again (-ESTALE).
 * Patterns are globs as in DTrace (`*`, `?`, `[a-z]`, `[!a-z]`, `\` quotes);
 * an empty one matches everything. Every name of a function is tried.
 */
struct rtrace_functions {
	__u32 size;	    /* in: sizeof(struct rtrace_functions) */
	__u32 flags;	    /* in: RTRACE_FUNCTIONS_* */
	__u64 module;	    /* in: pointer to the module glob, not terminated */
	__u64 function;	    /* in: pointer to the function glob, not terminated */
	__u32 module_len;   /* in: bytes, at most RTRACE_PATTERN_MAX */
	__u32 function_len; /* in: bytes, at most RTRACE_PATTERN_MAX */
	__u64 buf;	    /* in: pointer to the buffer */
	__u64 buf_len;	    /* in: bytes; must hold at least one entry (-ENOSPC) */
	__u64 cursor;	    /* in: 0 to begin; out: where to go on, 0 at the end */
	__u64 filled;	    /* out: bytes written to the buffer */
	__u32 count;	    /* out: entries written */
	__u32 reserved;	    /* in: 0 */
};

/* The ways in which a probe can be attached. */
#define RTRACE_WAY_NONE 0u
#define RTRACE_WAY_OPS 1u    /* the module's own ftrace_ops */
#define RTRACE_WAY_FPROBE 2u /* fprobe, by the function graph */
#define RTRACE_WAY_STUB 3u   /* the module's own stub, entry and return in one */
#define RTRACE_WAY_SLOT 4u   /* the same, by a stub of the function's own */

/* Why a function cannot be traced. */
#define RTRACE_WHY_OK 0u
#define RTRACE_WHY_NO_SITE 1u	/* the compiler made no ftrace site for it */
#define RTRACE_WHY_NOINSTR 2u	/* noinstr: must not be instrumented */
#define RTRACE_WHY_INIT 3u	/* boot code, freed since */
#define RTRACE_WHY_RUST 4u	/* Rust code carries no ftrace site */
#define RTRACE_WHY_PART 5u	/* a split-off part (.cold) of another function */
#define RTRACE_WHY_THUNK 6u	/* entry code, a trampoline or a thunk */
#define RTRACE_WHY_GONE 7u	/* its module was unloaded */
#define RTRACE_WHY_BUSY 8u	/* reserved */

/*
 * One function. `names` holds, without terminators, the module's name
 * (module_len bytes, "vmlinux" for the kernel proper), then the function's
 * (name_len bytes: the name that matched), then, if they were asked for, its
 * other names, separated by single spaces (aliases_len bytes).
 */
struct rtrace_function {
	__u32 entry_size;  /* bytes to the next entry, a multiple of 8 */
	__u32 function;	   /* stable while the module is loaded; 0 if not traceable */
	__u32 entry_id;	   /* the entry probe's id, as in DTrace's ID column; 0: none */
	__u32 return_id;   /* the return probe's id; 0: none */
	__u8 entry_way;	   /* RTRACE_WAY_* that an entry probe would get */
	__u8 return_way;   /* RTRACE_WAY_* that a return probe would get */
	__u16 why;	   /* RTRACE_WHY_*; 0 if traceable */
	__u16 module_len;  /* bytes */
	__u16 name_len;	   /* bytes */
	__u32 aliases_len; /* bytes */
	__u32 reserved;	   /* 0 */
	/* char names[]; */
};

/* ---- RTRACE_IOC_ADD, RTRACE_IOC_PROBES --------------------------------- */

#define RTRACE_PROBE_ENTRY (1u << 0)
#define RTRACE_PROBE_RETURN (1u << 1)
/* Remember the pattern, and probe the functions of modules that load later. */
#define RTRACE_ADD_LATE (1u << 2)

/*
 * Adds probes by pattern, or by the ids of rtrace_function, all or none. A probe
 * that the session already has is not added twice. Matching nothing is no error
 * (matched is 0).
 */
struct rtrace_add {
	__u32 size;	    /* in: sizeof(struct rtrace_add) */
	__u32 flags;	    /* in: RTRACE_PROBE_*, RTRACE_ADD_LATE; with ids: 0 */
	__u64 module;	    /* in: pointer to the module glob */
	__u64 function;	    /* in: pointer to the function glob */
	__u32 module_len;   /* in: bytes */
	__u32 function_len; /* in: bytes */
	__u64 ids;	    /* in: pointer to __u32 probe ids; 0: by pattern */
	__u32 ids_count;    /* in: how many; 0: by pattern */
	__u32 matched;	    /* out: probes that the request named */
	__u32 added;	    /* out: of these, new to the session */
	__u32 group;	    /* in: the probes belong to this group of a program's
			     * clauses, and to those of earlier calls; 0: none */
};

/* Fills a buffer with struct rtrace_probe entries, from probe `first` on. */
struct rtrace_probes {
	__u32 size;    /* in: sizeof(struct rtrace_probes) */
	__u32 flags;   /* in: 0 */
	__u32 first;   /* in: the index to begin at */
	__u32 count;   /* out: entries written */
	__u64 buf;     /* in: pointer to the buffer */
	__u64 buf_len; /* in: bytes; must hold at least one entry (-ENOSPC) */
	__u64 filled;  /* out: bytes written */
	__u32 next;    /* out: the index to go on at; equal to total at the end */
	__u32 total;   /* out: probes in the session now */
};

#define RTRACE_KIND_ENTRY 0u
#define RTRACE_KIND_RETURN 1u
/* The module's own (RTRACE_IOC_ADD_OWN): they have no function. */
#define RTRACE_KIND_BEGIN 2u   /* once, by START, before any other */
#define RTRACE_KIND_END 3u     /* once, by STOP, after all others */
#define RTRACE_KIND_ERROR 4u   /* a clause cannot go on */
#define RTRACE_KIND_TICK 5u    /* every period, on one CPU */
#define RTRACE_KIND_PROFILE 6u /* every period, on each CPU */

/* One probe of the session. Names as in struct rtrace_function, no aliases. */
struct rtrace_probe {
	__u32 entry_size; /* bytes to the next entry, a multiple of 8 */
	__u32 index;	  /* what records and ledger rows call it */
	__u32 id;	  /* its id, as in the ID column */
	__u32 function;	  /* rtrace_function.function */
	__u8 kind;	  /* RTRACE_KIND_* */
	__u8 way;	  /* RTRACE_WAY_* it is attached by; NONE: not attached */
	__u16 why;	  /* RTRACE_WHY_*: why it is not attached */
	__u16 module_len; /* bytes */
	__u16 name_len;	  /* bytes */
	/* char names[]; */
};

/* ---- RTRACE_IOC_ADD_OWN, RTRACE_IOC_AGGREGATE; see <rust_tracer_program.h> --- */

#define RTRACE_OWN_NAME_MAX 64u
#define RTRACE_CLOCKS_MAX 256u /* tick and profile probes of one session */
#define RTRACE_PERIOD_MIN 200000ull /* ns */

/* They fire for a program's clauses alone. Of the first three kinds a session has
 * one each, whatever its groups. */
struct rtrace_add_own {
	__u32 size;	/* in: sizeof(struct rtrace_add_own) */
	__u32 flags;	/* in: 0 */
	__u32 kind;	/* in: RTRACE_KIND_BEGIN to _PROFILE */
	__u32 group;	/* in: as rtrace_add.group, not 0 */
	__u64 period;	/* in: ns, tick and profile; else 0 */
	__u64 name;	/* in: pointer to its name, as "tick-1s", not terminated */
	__u32 name_len; /* in: bytes, at most RTRACE_OWN_NAME_MAX */
	__u32 index;	/* out: what records and ledger rows call it */
};

/*
 * With cursor 0, a CPU's aggregations begin anew, and what was there is copied;
 * what does not fit comes with the next calls, until the cursor is 0 again.
 * -ENXIO: nothing can aggregate on that CPU.
 */
struct rtrace_aggregate {
	__u32 size;    /* in: sizeof(struct rtrace_aggregate) */
	__u32 flags;   /* in: 0 */
	__u32 cpu;     /* in */
	__u32 count;   /* out: entries written */
	__u64 buf;     /* in: pointer to the buffer */
	__u64 buf_len; /* in: bytes; must hold at least one entry (-ENOSPC) */
	__u64 cursor;  /* in: 0 to begin; out: where to go on, 0 at the end */
	__u64 filled;  /* out: bytes written */
};

/* Its keys and words follow. The same keys may come more than once, with a part
 * each of what belongs to them. */
struct rtrace_aggregate_entry {
	__u32 entry_size;  /* bytes to the next entry, a multiple of 8 */
	__u32 aggregation; /* index */
	__u32 key_bytes;   /* a multiple of 8 */
	__u32 words;	   /* of data, behind the keys */
};

/* ---- RTRACE_IOC_CONFIG, RTRACE_IOC_TARGET ------------------------------ */

#define RTRACE_POLICY_SWITCH 0u /* keep the old records, drop the new */
#define RTRACE_POLICY_FILL 1u	/* the first full ring ends the recording */
#define RTRACE_POLICY_RING 2u	/* flight recorder: overwrite the oldest */

struct rtrace_config {
	__u32 size;	  /* in: sizeof(struct rtrace_config) */
	__u32 flags;	  /* in: 0 */
	__u64 ring_bytes; /* in: data bytes per CPU, a power of two; 0: default; out */
	__u64 watermark;  /* in: unread bytes in a ring that wake a poller (one
			   * that comes later finds it ready from 7/8 of them
			   * on), below ring_bytes, at most half of it counts;
			   * 0: a quarter of it; out */
	__u32 policy;	  /* in: RTRACE_POLICY_* */
	__u32 frames;	  /* in: calls in flight that can be followed to their
			   * return; 0: default; out */
	__u32 ways;	  /* in: a bit (1 << RTRACE_WAY_*) for each way that may
			   * attach probes, which must be enough for entries and
			   * returns, and all if SLOT is among them; 0: all;
			   * out */
	__u32 reserved;	  /* in: 0 */
};

struct rtrace_target {
	__u32 size;  /* in: sizeof(struct rtrace_target) */
	__u32 flags; /* in: 0 */
	__s32 pid;   /* in: process id in the caller's pid namespace */
	__u32 reserved; /* in: 0 */
};

/* ---- RTRACE_IOC_START, RTRACE_IOC_STATUS ------------------------------- */

struct rtrace_start {
	__u32 size;	/* in: sizeof(struct rtrace_start) */
	__u32 flags;	/* in: 0 */
	__u32 attached; /* out: probes attached */
	__u32 refused;	/* out: probes whose function is gone; see their `why` */
};

#define RTRACE_STATE_IDLE 0u
#define RTRACE_STATE_RUNNING 1u
#define RTRACE_STATE_STOPPED 2u
#define RTRACE_STATE_DEAD 3u

/* Why a session stopped or died. */
#define RTRACE_REASON_NONE 0u
#define RTRACE_REASON_ASKED 1u	/* RTRACE_IOC_STOP */
#define RTRACE_REASON_FILLED 2u /* policy fill: a ring is full; STOP it */
#define RTRACE_REASON_CLOSED 3u /* to observers: its owner closed it */
#define RTRACE_REASON_EXITED 10u /* its program called exit(); STOP it */
/* Dead: */
#define RTRACE_REASON_REVOKED 4u /* the node does not admit the opener any more */
#define RTRACE_REASON_ADMIN 5u	 /* RTRACE_IOC_REVOKE */
#define RTRACE_REASON_LOCKDOWN 6u /* the kernel was locked down */
#define RTRACE_REASON_SILENT 7u	 /* deadman: its reader gave no sign of life */
#define RTRACE_REASON_BURDEN 8u	 /* deadman: handlers took too much of a CPU */
#define RTRACE_REASON_EVENTS 9u	 /* quota: more events a second than allowed */

struct rtrace_status {
	__u32 size;	   /* in: sizeof(struct rtrace_status) */
	__u32 flags;	   /* in: 0 */
	__u32 state;	   /* out: RTRACE_STATE_* */
	__u32 reason;	   /* out: RTRACE_REASON_* */
	__u32 probes;	   /* out: probes in the session */
	__u32 attached;	   /* out: of these, attached now */
	__u32 rings;	   /* out: CPUs that have a ring */
	__u32 policy;	   /* out: RTRACE_POLICY_* */
	__u64 ring_bytes;  /* out: data bytes per CPU */
	__u64 watermark;   /* out: bytes */
	__u64 generation;  /* out: as in struct rtrace_ring_status */
	__u64 memory;	   /* out: bytes held by rings, counters and frames */
	__u32 frames;	   /* out: calls in flight that can be followed */
	__u32 frames_used; /* out: of these, in use */
	__u64 id;	   /* out: of the session; an observer's: of the observed */
	__u64 unspeculated; /* out: calls of speculation() that found none free */
};

/* ---- RTRACE_IOC_LEDGER ------------------------------------------------- */

/* In rtrace_ledger.flags */
#define RTRACE_LEDGER_SUM_CPUS (1u << 0)   /* one row per probe */
#define RTRACE_LEDGER_SUM_PROBES (1u << 1) /* one row per CPU */
#define RTRACE_LEDGER_NONZERO (1u << 2)	   /* leave out rows of zeroes */

/* Fills a buffer with struct rtrace_ledger_row. A call may end with no row and a
 * cursor to go on at: what one call adds up is bounded. */
struct rtrace_ledger {
	__u32 size;    /* in: sizeof(struct rtrace_ledger) */
	__u32 flags;   /* in: RTRACE_LEDGER_* */
	__u64 buf;     /* in: pointer to the buffer */
	__u64 buf_len; /* in: bytes; must hold at least one row (-ENOSPC) */
	__u64 cursor;  /* in: 0 to begin; out: where to go on, 0 at the end */
	__u32 count;   /* out: rows written */
	__u32 reserved; /* in: 0 */
};

/* Why a firing was dropped: indices of rtrace_ledger_row.dropped. */
#define RTRACE_DROP_FULL 0u	 /* the ring had no room (switch, fill) */
#define RTRACE_DROP_NESTED 1u	 /* would overtake a record being written below it */
#define RTRACE_DROP_RECURSION 2u /* fired inside our own handler */
#define RTRACE_DROP_NO_RING 3u	 /* the CPU has no ring */
#define RTRACE_DROP_FLOOD 4u	 /* the ring is nearly full, and its task's share used */
/* A program's clause: */
#define RTRACE_DROP_FAULT 5u	 /* it could not go on; the fault is recorded */
#define RTRACE_DROP_AGGREGATION 6u /* no room for new keys in aggsize */
#define RTRACE_DROP_SPECULATION 7u /* its speculation is full, or no more */
#define RTRACE_DROPS 12u	 /* the others are spare and 0 */

/* Why a call has no return: indices of rtrace_ledger_row.missed. */
#define RTRACE_MISSED_UNFRAMED 0u /* the kernel kept no return frame for it */
#define RTRACE_MISSED_FRAMES 1u	  /* all rtrace_config.frames were in use */
#define RTRACE_MISSED_DIED 2u	  /* its task ended inside the function */
#define RTRACE_MISSED_HIDDEN 3u	  /* user: at its return the task was not the opener's */
#define RTRACE_MISSES 4u

/*
 * One probe on one CPU. At rest, exactly:
 *   fired   = recorded + processed + filtered + sum(dropped)
 * and for a return probe, where a call counts on the CPU of its entry:
 *   entered = returned + in_flight + passed + sum(missed)
 * For a return probe `fired` counts on the CPU of the return, and summed over
 * all CPUs fired = returned.
 * If the session has a program, each clause that runs counts as a firing.
 * A session of the node user counts what its opener's own tasks did, and nothing
 * else. To an observer `filtered`, `passed` and so on are those of the session.
 */
struct rtrace_ledger_row {
	__u32 probe; /* index, or RTRACE_PROBE_ALL */
	__u32 cpu;   /* number, or RTRACE_CPU_ALL */
	__u64 fired;
	__u64 recorded;
	__u64 processed; /* a program's clause ran, and had no record to write */
	__u64 filtered; /* the session's target, or a predicate, excluded it */
	__u64 dropped[RTRACE_DROPS];
	__u64 entered;	 /* return probes: calls seen at entry */
	__u64 returned;	 /* of these: seen to return while running */
	__u64 in_flight; /* of these: still inside when the session stopped */
	__u64 passed;	 /* of these: excluded at entry by the session's target */
	__u64 missed[RTRACE_MISSES];
	__u64 dynamic; /* dynamic variable drops: assignments that found no room */
};

/* ---- RTRACE_IOC_LAST_ERROR --------------------------------------------- */

struct rtrace_error {
	__u32 size;    /* in: sizeof(struct rtrace_error) */
	__u32 flags;   /* in: 0 */
	__u64 buf;     /* in: pointer to the buffer */
	__u32 buf_len; /* in: bytes; a longer text is cut */
	__u32 len;     /* out: bytes written, no terminator; 0: nothing failed */
	__s32 error;   /* out: the errno of that command, positive */
	__u32 reserved; /* in: 0 */
};

/* ---- RTRACE_IOC_SESSIONS, RTRACE_IOC_REVOKE ----------------------------- */

/* In rtrace_session.flags */
#define RTRACE_SESSION_MINE (1u << 0)	   /* of the caller's user */
#define RTRACE_SESSION_PUBLISHED (1u << 1) /* RTRACE_IOC_PUBLISH */
#define RTRACE_SESSION_OBSERVER (1u << 2)  /* it observes another session */
#define RTRACE_SESSION_THIS (1u << 3)	   /* the one that asks */

/*
 * Fills a buffer with struct rtrace_session entries, in order of their ids: all
 * sessions for an admin (CAP_SYS_ADMIN when the node was opened and now), else
 * those of the caller's user and those published on this node.
 */
struct rtrace_sessions {
	__u32 size;    /* in: sizeof(struct rtrace_sessions) */
	__u32 flags;   /* in: 0 */
	__u64 buf;     /* in: pointer to the buffer */
	__u64 buf_len; /* in: bytes; must hold at least one entry (-ENOSPC) */
	__u64 cursor;  /* in: 0 to begin; out: where to go on, 0 at the end */
	__u64 filled;  /* out: bytes written */
	__u32 count;   /* out: entries written */
	__u32 reserved; /* in: 0 */
};

struct rtrace_session {
	__u32 entry_size; /* bytes to the next entry, a multiple of 8 */
	__u32 flags;	  /* RTRACE_SESSION_* */
	__u64 id;	  /* never used again while the module is loaded */
	__u32 node;	  /* RTRACE_NODE_* */
	__u32 state;	  /* RTRACE_STATE_* */
	__u32 reason;	  /* RTRACE_REASON_* */
	__u32 uid;	  /* the opener's, initial user namespace */
	__u32 pid;	  /* the opener's process id, initial pid namespace */
	__u32 probes;	  /* in the session */
	__u32 attached;	  /* of these, attached now */
	__u32 name_len;	  /* bytes of the published name behind this structure */
	__u64 opened;	  /* CLOCK_MONOTONIC, ns */
	__u64 memory;	  /* bytes held by rings, counters and frames */
	__u64 fired;	  /* summed over all probes and CPUs, as the ledger */
	__u64 recorded;
	__u64 dropped;
	__u64 missed;
	char comm[16];	  /* the opener's name when it opened */
	/* char name[]; */
};

/* In rtrace_revoke.flags: all sessions of the user `uid`, not the one `id`. */
#define RTRACE_REVOKE_USER (1u << 0)

struct rtrace_revoke {
	__u32 size;  /* in: sizeof(struct rtrace_revoke) */
	__u32 flags; /* in: RTRACE_REVOKE_* */
	__u64 id;    /* in: rtrace_session.id; with RTRACE_REVOKE_USER: 0 */
	__u32 uid;   /* in: with RTRACE_REVOKE_USER; else 0 */
	__u32 count; /* out: sessions that were ended by it */
};

/* ---- RTRACE_IOC_PUBLISH, RTRACE_IOC_OBSERVE, RTRACE_IOC_READ ------------- */

#define RTRACE_LINGER_MS 5000u

/* A name is 1 to RTRACE_SESSION_NAME_MAX bytes of [A-Za-z0-9._-], and one
 * session's at a time on a node (-EEXIST). */
struct rtrace_publish {
	__u32 size;	/* in: sizeof(struct rtrace_publish) */
	__u32 flags;	/* in: 0 */
	__u64 name;	/* in: pointer to the name, not terminated */
	__u32 name_len; /* in: bytes; 0: publish it no longer */
	__u32 reserved; /* in: 0 */
};

/*
 * Makes this open file an observer: its PROBES, STATUS and LEDGER are those of
 * the observed session. It maps nothing and arms nothing. When the owner closes
 * his file, observers have RTRACE_LINGER_MS to read what is left (after it:
 * -ECANCELED). Observers that were let in are not put out by PUBLISH with no
 * name, but by what ends any session.
 */
struct rtrace_observe {
	__u32 size;	/* in: sizeof(struct rtrace_observe) */
	__u32 flags;	/* in: 0 */
	__u64 name;	/* in: pointer to the published name, not terminated */
	__u32 name_len; /* in: bytes; 0: by id */
	__u32 reserved; /* in: 0 */
	__u64 id;	/* in: rtrace_session.id, or 0: by name; out: the id */
};

/*
 * Copies what a CPU's ring has from `position` on. A record may be cut at the
 * end of what is copied: go on at its beginning. Records that the session's
 * owner has consumed are overwritten sooner or later; if the observer is that
 * late, `position` comes back advanced over them and `skipped` says by how much
 * (fired - read, from the ledger, says how many records). Nothing to read: 0
 * bytes. -ENXIO: that CPU has no ring (yet).
 */
struct rtrace_read {
	__u32 size;	/* in: sizeof(struct rtrace_read) */
	__u32 flags;	/* in: 0 */
	__u32 cpu;	/* in */
	__u32 reserved; /* in: 0 */
	__u64 position; /* in: 0 to begin; out: that of the first byte copied */
	__u64 buf;	/* in: pointer to the buffer */
	__u64 buf_len;	/* in: bytes; at least RTRACE_RECORD_MAX (-ENOSPC) */
	__u64 filled;	/* out: bytes copied */
	__u64 skipped;	/* out: bytes between the position asked for and the first */
};

/* ---- RTRACE_IOC_SYMBOL, RTRACE_IOC_QUOTA --------------------------------- */

/* "name+0x10/0x40" or "name+0x10/0x40 [module]"; -ENOENT: no symbol is there. */
struct rtrace_symbol {
	__u32 size;    /* in: sizeof(struct rtrace_symbol) */
	__u32 flags;   /* in: 0 */
	__u64 address; /* in */
	__u64 buf;     /* in: pointer to the buffer */
	__u32 buf_len; /* in: bytes; RTRACE_SYMBOL_MAX always suffice; less cuts */
	__u32 len;     /* out: bytes written, no terminator */
};

/*
 * Limits are module parameters; 0: none. CAP_SYS_RESOURCE, when the node was
 * opened, is above them.
 */
struct rtrace_quota {
	__u32 size;	   /* in: sizeof(struct rtrace_quota) */
	__u32 flags;	   /* in: 0 */
	__u32 uid;	   /* out: whose, initial user namespace */
	__u32 exempt;	   /* out: 1: the opener has CAP_SYS_RESOURCE */
	__u64 sessions;	   /* out: open files of the user, on all nodes */
	__u64 sessions_max;
	__u64 probes;	   /* out: in all these sessions */
	__u64 probes_max;
	__u64 memory;	   /* out: bytes of all these sessions */
	__u64 memory_max;
	__u64 events_max;  /* out: firings a second in all these sessions */
	__u64 patterns;	   /* out: remembered for modules to come (RTRACE_ADD_LATE) */
	__u64 patterns_max;
	__u64 clock_hz;	   /* out: firings a second of all clocks */
	__u64 clock_hz_max;
	__u64 clock_time;  /* out: ns of each second that their clauses may take */
	__u64 clock_time_max;
};

/* ---- the rings: mmap --------------------------------------------------- */

/*
 * Each CPU's ring is three areas, mapped apart, MAP_SHARED, each as a whole:
 *   status    one page, PROT_READ              struct rtrace_ring_status
 *   consumer  one page, PROT_READ|PROT_WRITE   one __u64 at offset 0
 *   data      ring_bytes, PROT_READ            records
 * They exist from RTRACE_IOC_START until the file is closed (before: -ENXIO).
 * A CPU that comes online later gets its ring then.
 */
#define RTRACE_AREA_STATUS 0ull
#define RTRACE_AREA_CONSUMER 1ull
#define RTRACE_AREA_DATA 2ull
#define RTRACE_MMAP_OFFSET(cpu, area) \
	(((unsigned long long)(cpu) << 36) | ((unsigned long long)(area) << 34))

/*
 * Positions count bytes from the session's start and never wrap; a record at
 * position p begins at data[p % ring_bytes] and is contiguous.
 *
 * Reading (switch, fill): load-acquire `published`; parse [consumer, published);
 * store-release the new consumer position. A position that the module cannot
 * accept (beyond published, going back, not a multiple of 8) is ignored and
 * sets bad_consumer. Reading (ring): after STOP, parse [oldest, published).
 */
struct rtrace_ring_status {
	__u64 published;    /* bytes: complete records end here */
	__u64 oldest;	    /* bytes: the oldest record not overwritten (ring) */
	__u64 lost;	    /* firings this ring could not take, so far */
	__u64 generation;   /* changes when the session gets a probe or a ring */
	__u32 state;	    /* RTRACE_STATE_* of the session */
	__u32 reason;	    /* RTRACE_REASON_* of the session */
	__u32 bad_consumer; /* 1: an unacceptable consumer position was seen */
	__u32 cpu;	    /* the ring's CPU */
};

/* ---- records ----------------------------------------------------------- */

#define RTRACE_RECORD_PAD 1u	/* to the end of the data area; 8 bytes of head */
#define RTRACE_RECORD_DISCARD 2u /* skip it */
#define RTRACE_RECORD_LOST 3u	/* struct rtrace_record_lost */
#define RTRACE_RECORD_ENTRY 4u	/* struct rtrace_record_entry */
#define RTRACE_RECORD_RETURN 5u /* struct rtrace_record_return */
#define RTRACE_RECORD_CALLED 6u /* struct rtrace_record_called */
#define RTRACE_RECORD_RETURNED 7u /* struct rtrace_record_returned */
/* 8 and 9: <rust_tracer_program.h> */

#define RTRACE_CONTEXT_TASK 0u
#define RTRACE_CONTEXT_SOFTIRQ 1u
#define RTRACE_CONTEXT_IRQ 2u
#define RTRACE_CONTEXT_NMI 3u

/* rtrace_record.info: length in bytes, type, context. */
#define RTRACE_RECORD_LEN(info) ((info) & 0xffffffu)
#define RTRACE_RECORD_TYPE(info) (((info) >> 24) & 0xfu)
#define RTRACE_RECORD_CONTEXT(info) (((info) >> 28) & 0xfu)

/* The head of every record; records are a multiple of 8 bytes long. */
struct rtrace_record {
	__u32 info;	/* RTRACE_RECORD_LEN, _TYPE, _CONTEXT */
	__u32 position; /* bits 3 to 34 of the record's own position */
	__u64 time;	/* ns; never decreases along a ring; absent in a PAD */
};

/* Firings were lost between the record before this one and the one after. */
struct rtrace_record_lost {
	struct rtrace_record head;
	__u64 count; /* how many, since the last such record of this ring */
};

struct rtrace_record_entry {
	struct rtrace_record head;
	__u32 probe; /* index */
	__u32 cpu;
	__u32 pid;	/* process (thread group) id, initial pid namespace */
	__u32 tid;	/* thread id, initial pid namespace */
	__u64 args[6];	/* the function's integer arguments; on the node user, the
			 * system call's */
};

struct rtrace_record_return {
	struct rtrace_record head;
	__u32 probe; /* index */
	__u32 cpu;
	__u32 pid;
	__u32 tid;
	__u64 value;   /* return value; undefined for a void function */
	__u64 elapsed; /* ns since this call's entry */
};

/*
 * What the nodes system and user show instead of ENTRY and RETURN: who, and how
 * long, but no data. Nothing in them comes from an argument; `result` alone
 * comes from a return value, and on the node user alone. The node user has ENTRY
 * and RETURN for the functions at which 64-bit system calls begin (__x64_sys_*):
 * what its opener's own tasks asked for, and were answered.
 */
#define RTRACE_EXECNAME_LEN 16u

struct rtrace_record_called {
	struct rtrace_record head;
	__u32 probe; /* index */
	__u32 cpu;
	__u32 pid;
	__u32 tid;
	__u32 uid;	/* real user id, initial user namespace */
	__u32 reserved; /* 0 */
	char execname[RTRACE_EXECNAME_LEN]; /* the thread's name, zeroes behind it */
};

#define RTRACE_RESULT_NONE 1 /* not 0 and no error, or not to be seen here */

struct rtrace_record_returned {
	struct rtrace_record head;
	__u32 probe; /* index */
	__u32 cpu;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__s32 result; /* user: 0 or a negative errno, else RTRACE_RESULT_NONE;
		       * undefined for a void function. system: RESULT_NONE */
	char execname[RTRACE_EXECNAME_LEN];
	__u64 elapsed; /* ns since this call's entry */
};

#endif /* _UAPI_RUST_TRACER_H */
