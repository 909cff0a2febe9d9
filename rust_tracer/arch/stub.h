/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the stub's assembly, its C and its Rust have in common. Where things lie,
 * assembly learns from stub_offsets.c; Rust has these structures by bindgen, and
 * checks those of its own that stand for them.
 */
#ifndef RUST_TRACER_STUB_H
#define RUST_TRACER_STUB_H

/* What becomes of a call that entered. In this order: the stub compares. */
#define RTRACE_STUB_ALONE 0  /* it is not followed */
#define RTRACE_STUB_FOLLOW 1 /* it is to return to the stub */
#define RTRACE_STUB_LONG 2   /* rtrace_stub_enter_long() does it */
/* If so, what is done already: from this bit on, one for each session whose entry probe
 * has fired (Engine::bit()); and that the call is followed. */
#define RTRACE_STUB_FIRED_SHIFT 8
#define RTRACE_STUB_FOLLOWED (1 << 16)

/* Bytes of the call at a site, and how far apart the slots of two sites lie. */
#define RTRACE_CALL_BYTES 5
#define RTRACE_SLOT_SPREAD 4

/* The `what` of a slot where an entry does nothing but follow the call. */
#define RTRACE_WHAT_FOLLOW 2
/* Where a return probe's second block counts what it follows, and where an entry
 * probe's two count that it fired, and was filtered or processed. */
#define RTRACE_BLOCK_FOLLOWED 16
#define RTRACE_BLOCK_FIRED 0
#define RTRACE_BLOCK_FILTERED 16
#define RTRACE_BLOCK_PROCESSED 64

/* Above it, `tested` is where in the current task's structure 32 bits are. */
#define RTRACE_SOURCE_NAMED 4

/* All slot stubs, by number. */
#define RTRACE_SLOT_STUBS 16
#define RTRACE_EACH_SLOT_STUB(x)                                  \
	x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10)   \
	x(11) x(12) x(13) x(14) x(15)

#ifndef __ASSEMBLER__

#include <linux/percpu.h>
#include <linux/thread_info.h>
#include <linux/types.h>

/*
 * Stacks of tasks and of interrupts are of this size; where less than this is left
 * no more frames are made: so most of a stack is the functions' own in any case.
 */
#define RTRACE_MARGIN_OF(bytes) ((bytes) / 8 * 5)
enum {
	RTRACE_STACK_BYTES = THREAD_SIZE,
	RTRACE_STACK_MARGIN = RTRACE_MARGIN_OF(THREAD_SIZE),
};

/* Its arguments lie as in a struct pt_regs that begins RTRACE_FRAME_BEFORE below. */
struct rtrace_frame {
	u64 more_tokens[2];
	u64 r9;
	u64 r8;
	/* Who follows the call; see engine/calls.rs. */
	u64 token;
	u64 cx;
	u64 dx;
	u64 si;
	u64 di;
	/* When it entered: cycles, if the token is a short one, else ns. */
	u64 time;
	unsigned long ip; /* behind the call at the function's site */
	unsigned long to; /* where the function returns to; not the frame's own */
};

enum {
	RTRACE_FRAME_BEFORE = 48,
};

/* How attach/dispatch.rs and engine/hot.rs begin. */
struct rtrace_table {
	void *slots;
	u64 mask;
};

struct rtrace_slot {
	unsigned long site;
	void *hot;
	u32 first;
	u32 count;
	u8 what;
	bool counts;
	bool records;
	bool at_once;
	s16 tested;
	s16 value;
	u32 entered;
	u32 block;
	u32 data;
	u32 index;
	u64 low;
	u64 span;
};

struct rtrace_hot {
	u64 token;
	void *counters;
	u64 running;
	u64 fired;
	void *aggregations;
};

/* The stub, and where the functions return to that it follows. */
extern const char rtrace_stub[], rtrace_stub_exit[];
/* The same where others are at the site, and where one of them is called directly. */
extern const char rtrace_stub_shared[], rtrace_stub_direct[];

/* What a slot stub knows of the site that it serves. */
struct rtrace_slot_stub {
	const struct rtrace_slot *slot; /* of the table, or NULL: to be looked for */
	unsigned long ip;		/* behind the call at the site */
};
extern struct rtrace_slot_stub rtrace_slot_stubs[RTRACE_SLOT_STUBS];

/* Where it begins, and where the function returns to. */
struct rtrace_slot_text {
	unsigned long start;
	unsigned long exit;
};
extern const struct rtrace_slot_text rtrace_slot_texts[RTRACE_SLOT_STUBS];

/* The text of all of them. */
extern const char rtrace_slot_0[], rtrace_slots_end[];

bool rtrace_is_slot_exit(unsigned long address);

/* Whether it is where functions return to that a stub follows. */
static __always_inline bool rtrace_is_stub_exit(unsigned long address)
{
	if (likely(address < (unsigned long)rtrace_slot_0 ||
		   address >= (unsigned long)rtrace_slots_end))
		return address == (unsigned long)rtrace_stub_exit;
	return rtrace_is_slot_exit(address);
}

/* Frames made on this CPU, less those left here. */
DECLARE_PER_CPU(u64, rtrace_frames);

/* What sites call whose calls fprobe follows. */
extern const char rtrace_entry[];
/* A return of its own. */
extern const char rtrace_stub_return[];

#endif /* __ASSEMBLER__ */

#endif /* RUST_TRACER_STUB_H */
