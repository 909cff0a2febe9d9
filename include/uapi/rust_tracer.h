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
 * docs/abi.md tells the same as a story, with an example reader.
 */
#ifndef _UAPI_RUST_TRACER_H
#define _UAPI_RUST_TRACER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* A reader must refuse a major it does not know; minors only add. */
#define RTRACE_ABI_MAJOR 1
#define RTRACE_ABI_MINOR 0

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

/* ---- limits ------------------------------------------------------------ */

#define RTRACE_RING_MIN (64u * 1024u)		 /* bytes of data per CPU */
#define RTRACE_RING_MAX (1024u * 1024u * 1024u)	 /* bytes of data per CPU */
#define RTRACE_RING_DEFAULT (4u * 1024u * 1024u) /* DTrace's bufsize */
#define RTRACE_RECORD_MAX 4096u			 /* bytes of one record */
#define RTRACE_PROBES_MAX 262144u		 /* probes of one session */
#define RTRACE_PATTERN_MAX 512u			 /* bytes of one glob */
#define RTRACE_NAME_MAX 512u			 /* bytes of one name */
#define RTRACE_FRAMES_DEFAULT 16384u		 /* calls in flight per session */
#define RTRACE_FRAMES_MAX 1048576u
#define RTRACE_CPU_ALL 0xffffffffu		 /* a row that sums over all CPUs */
#define RTRACE_PROBE_ALL 0xffffffffu		 /* a row that sums over all probes */

/* ---- RTRACE_IOC_INFO --------------------------------------------------- */

#define RTRACE_FEATURE_ENTRY (1ull << 0)	/* fbt entry probes */
#define RTRACE_FEATURE_RETURN (1ull << 1)	/* fbt return probes */
#define RTRACE_FEATURE_LATE (1ull << 2)		/* modules loaded later are probed */
#define RTRACE_FEATURE_TARGET (1ull << 3)	/* RTRACE_IOC_TARGET */

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

/* Why a function cannot be traced. */
#define RTRACE_WHY_OK 0u
#define RTRACE_WHY_NO_SITE 1u	/* the compiler made no ftrace site for it */
#define RTRACE_WHY_NOINSTR 2u	/* noinstr: must not be instrumented */
#define RTRACE_WHY_INIT 3u	/* boot code, freed since */
#define RTRACE_WHY_RUST 4u	/* Rust code carries no ftrace site */
#define RTRACE_WHY_PART 5u	/* a split-off part (.cold) of another function */
#define RTRACE_WHY_THUNK 6u	/* entry code, a trampoline or a thunk */
#define RTRACE_WHY_GONE 7u	/* its module was unloaded */
#define RTRACE_WHY_BUSY 8u	/* ftrace refused it */

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
	__u32 reserved;	    /* in: 0 */
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
	__u32 refused;	/* out: probes that ftrace refused; see their `why` */
};

#define RTRACE_STATE_IDLE 0u
#define RTRACE_STATE_RUNNING 1u
#define RTRACE_STATE_STOPPED 2u
#define RTRACE_STATE_DEAD 3u

/* Why a session stopped or died. */
#define RTRACE_REASON_NONE 0u
#define RTRACE_REASON_ASKED 1u	/* RTRACE_IOC_STOP */
#define RTRACE_REASON_FILLED 2u /* policy fill: a ring is full; STOP it */

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
};

/* ---- RTRACE_IOC_LEDGER ------------------------------------------------- */

/* In rtrace_ledger.flags */
#define RTRACE_LEDGER_SUM_CPUS (1u << 0)   /* one row per probe */
#define RTRACE_LEDGER_SUM_PROBES (1u << 1) /* one row per CPU */
#define RTRACE_LEDGER_NONZERO (1u << 2)	   /* leave out rows of zeroes */

/* Fills a buffer with struct rtrace_ledger_row. */
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
#define RTRACE_DROPS 4u

/* Why a call has no return: indices of rtrace_ledger_row.missed. */
#define RTRACE_MISSED_UNFRAMED 0u /* the kernel kept no return frame for it */
#define RTRACE_MISSED_FRAMES 1u	  /* all rtrace_config.frames were in use */
#define RTRACE_MISSED_DIED 2u	  /* its task ended inside the function */
#define RTRACE_MISSES 4u	  /* one is spare and 0 */

/*
 * One probe on one CPU. At rest, exactly:
 *   fired   = recorded + filtered + sum(dropped)
 * and for a return probe, where a call counts on the CPU of its entry:
 *   entered = returned + in_flight + passed + sum(missed)
 * For a return probe `fired` counts on the CPU of the return, and summed over
 * all CPUs fired = returned.
 */
struct rtrace_ledger_row {
	__u32 probe; /* index, or RTRACE_PROBE_ALL */
	__u32 cpu;   /* number, or RTRACE_CPU_ALL */
	__u64 fired;
	__u64 recorded;
	__u64 filtered; /* the session's target excluded it */
	__u64 dropped[RTRACE_DROPS];
	__u64 entered;	 /* return probes: calls seen at entry */
	__u64 returned;	 /* of these: seen to return while running */
	__u64 in_flight; /* of these: still inside when the session stopped */
	__u64 passed;	 /* of these: excluded at entry by the session's target */
	__u64 missed[RTRACE_MISSES];
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
	__u64 args[6];	/* the function's integer arguments */
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

#endif /* _UAPI_RUST_TRACER_H */
