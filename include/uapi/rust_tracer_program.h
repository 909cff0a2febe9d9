/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Programs: clauses in a bytecode that the module verifies when they are loaded,
 * and runs when probes fire. The rules of <rust_tracer.h> hold here, too.
 *
 * A program is a set of clauses. Each belongs to a group of probes: a probe is
 * in the groups under which it was added (rtrace_add.group), and when it fires,
 * the clauses of its groups run, in the program's order. A firing's clause ends
 * in one way: filtered (its predicate is false), recorded (it wrote a record),
 * processed (it had nothing to record), or dropped, with the reason.
 *
 * docs/bytecode.md tells the same as a story.
 */
#ifndef _UAPI_RUST_TRACER_PROGRAM_H
#define _UAPI_RUST_TRACER_PROGRAM_H

#include <linux/types.h>

/* ---- limits ------------------------------------------------------------ */

#define RTRACE_PROGRAM_REGISTERS 32u
#define RTRACE_PROGRAM_INSNS_MAX 65536u	   /* instructions of a program */
#define RTRACE_CLAUSE_INSNS_MAX 16384u	   /* instructions of a clause */
#define RTRACE_CLAUSES_MAX 4096u
#define RTRACE_CONSTANTS_MAX 65536u
#define RTRACE_STRINGS_MAX 1048576u	   /* bytes of all string constants */
#define RTRACE_VARIABLES_MAX 4096u
#define RTRACE_AGGREGATIONS_MAX 1024u
#define RTRACE_KEYS_MAX 4096u		   /* bytes of one tuple of keys */
#define RTRACE_STRSIZE_DEFAULT 256u	   /* DTrace's strsize, NUL included */
#define RTRACE_STRSIZE_MAX 4096u
#define RTRACE_VARIABLE_BYTES_MAX 16384u   /* of a variable that is no string */
#define RTRACE_SCRATCH_BYTES 16384u	   /* of one firing's temporary values */
#define RTRACE_LOCALS_MAX 8192u		   /* bytes of all clause-local variables */
#define RTRACE_GLOBALS_MAX 1048576u	   /* bytes of all global variables */
#define RTRACE_STACK_FRAMES_MAX 127u
#define RTRACE_SPECULATIONS_MAX 1024u
#define RTRACE_DYNVARS_SURE 4096u	   /* of rtrace_program.dynvars */

/* ---- the program --------------------------------------------------------- */

/* Clauses run for the probes of this group. Groups are the caller's numbers, from 1. */
struct rtrace_clause {
	__u32 group;
	__u32 first; /* index of its first instruction */
	__u32 count; /* instructions */
	__u32 flags; /* RTRACE_CLAUSE_* */
};

/* It writes a record even if it has no item: the default action. */
#define RTRACE_CLAUSE_DEFAULT (1u << 0)
/* Its probes are those of the functions __x64_sys_*, and it knows them as the
 * provider syscall: names and arguments are the system call's. */
#define RTRACE_CLAUSE_SYSCALL (1u << 1)

#define RTRACE_SCOPE_GLOBAL 0u	/* one for all */
#define RTRACE_SCOPE_LOCAL 1u	/* this->: one for each firing */
#define RTRACE_SCOPE_ARRAY 2u	/* global, by a tuple of keys */
#define RTRACE_SCOPE_THREAD 3u	/* self->: one for each thread */
#define RTRACE_SCOPE_THREAD_ARRAY 4u /* self->, by a tuple of keys */

#define RTRACE_VALUE_SCALAR 0u	/* 8 bytes; narrower types are extended by the code */
#define RTRACE_VALUE_STRING 1u	/* NUL-terminated, `bytes` with the NUL */
#define RTRACE_VALUE_BYTES 2u	/* `bytes` of anything */

struct rtrace_variable {
	__u8 scope; /* RTRACE_SCOPE_* */
	__u8 value; /* RTRACE_VALUE_* */
	__u16 reserved;
	__u32 bytes; /* scalar: 8; string: at most RTRACE_STRSIZE_MAX; bytes: RTRACE_VARIABLE_BYTES_MAX */
	__u32 keys;  /* arrays: the most bytes that their keys take; else 0 */
	__u32 reserved2;
};

#define RTRACE_AGG_COUNT 0u	 /* [count] */
#define RTRACE_AGG_SUM 1u	 /* [sum] */
#define RTRACE_AGG_MIN 2u	 /* [min], signed */
#define RTRACE_AGG_MAX 3u	 /* [max], signed */
#define RTRACE_AGG_AVG 4u	 /* [count, sum] */
#define RTRACE_AGG_STDDEV 5u	 /* [count, sum, sum of squares: low, high] */
#define RTRACE_AGG_QUANTIZE 6u	 /* [127]: word 63 is 0, 64 + n is [2^n, 2^(n+1)), 62 - n their negatives */
#define RTRACE_AGG_LQUANTIZE 7u	 /* [levels + 2]: below, the levels, above */
#define RTRACE_AGG_LLQUANTIZE 8u /* [2n + 3]: below, n levels below 0, around 0, n above, above */

#define RTRACE_QUANTIZE_WORDS 127u
#define RTRACE_AGG_LEVELS_MAX 65535u   /* of LLQUANTIZE: n */

/*
 * parameters: lquantize: base, step, levels (each a signed number in a word);
 * llquantize: factor, low magnitude, high magnitude, steps; others: 0.
 */
struct rtrace_aggregation {
	__u32 function; /* RTRACE_AGG_* */
	__u32 keys;	/* the most bytes that its keys take; 0: it has none */
	__u64 parameters[4];
};

struct rtrace_program {
	__u32 size;  /* in: sizeof(struct rtrace_program) */
	__u32 flags; /* in: 0 */
	__u64 code;  /* in: pointer to __u64 instructions */
	__u64 clauses;
	__u64 constants; /* in: pointer to __u64 */
	__u64 strings;	 /* in: pointer to bytes; each string ends in a NUL */
	__u64 variables;
	__u64 aggregations;
	__u32 code_count;
	__u32 clauses_count;
	__u32 constants_count;
	__u32 strings_len; /* in: bytes */
	__u32 variables_count;
	__u32 aggregations_count;
	__u32 strsize;	    /* in: bytes of a string, NUL included; 0: default */
	__u32 speculations; /* in: nspec; how many there are at once */
	__u64 specsize;	    /* in: bytes of records that one may hold on a CPU */
	__u64 aggsize;	    /* in: bytes of aggregations on a CPU */
	__u64 dynvarsize;   /* in: bytes of all dynamic variables */
	__u32 instruction;  /* out: with an error: the index of what was refused */
	__u32 dynvars;	    /* in: so many dynamic variables at most; for that many, or
			     * RTRACE_DYNVARS_SURE, there is room even if dynvarsize
			     * is less; 0: as many as dynvarsize holds */
	__u64 actions;	    /* in: pointer to __u16, for each instruction the number of
			     * the action that it is part of, which is arg2 of ERROR;
			     * 0: all are 0 */
};

/* ---- instructions ----------------------------------------------------------- */

/*
 * One word: op (bits 0 to 7), d (8 to 15), a (16 to 23), b (24 to 31), and i, a
 * signed number (32 to 63). d, a and b name registers r0 to r31, each of 64
 * bits. Fields that an operation does not use are 0. Jumps go forward: to the
 * instruction i behind the next one.
 *
 * A value is a number, or a pointer: to the kernel's memory, or into the
 * firing's own memory (constants, clause-local variables, temporary values),
 * where strings are. Every access is checked.
 */
#define RTRACE_OP_RET 0u    /* the clause is done */
#define RTRACE_OP_FILTER 1u /* if a is 0: the predicate is false, done */
#define RTRACE_OP_JMP 2u
#define RTRACE_OP_JZ 3u	 /* if a is 0 */
#define RTRACE_OP_JNZ 4u /* if a is not 0 */
#define RTRACE_OP_JEQ 5u /* if a and b are equal */
#define RTRACE_OP_JNE 6u
#define RTRACE_OP_JLT 7u /* signed a < b */
#define RTRACE_OP_JLE 8u
#define RTRACE_OP_JLTU 9u /* unsigned */
#define RTRACE_OP_JLEU 10u
#define RTRACE_OP_MOV 11u /* d = a */
#define RTRACE_OP_LDI 12u /* d = i */
#define RTRACE_OP_LDC 13u /* d = constants[i] */
#define RTRACE_OP_LDSC 14u /* d = pointer to the string constant at byte i */
#define RTRACE_OP_FREE 15u /* the temporary values from the one that a points to on are given back */
#define RTRACE_OP_ADD 16u /* d = a op b, from here on */
#define RTRACE_OP_SUB 17u
#define RTRACE_OP_MUL 18u
#define RTRACE_OP_DIV 19u /* signed; by 0: fault DIVZERO */
#define RTRACE_OP_DIVU 20u
#define RTRACE_OP_MOD 21u
#define RTRACE_OP_MODU 22u
#define RTRACE_OP_AND 23u
#define RTRACE_OP_OR 24u
#define RTRACE_OP_XOR 25u
#define RTRACE_OP_SHL 26u /* by b modulo 64 */
#define RTRACE_OP_SHR 27u /* logical */
#define RTRACE_OP_SAR 28u /* arithmetic */
#define RTRACE_OP_SEQ 29u /* 1 or 0 */
#define RTRACE_OP_SNE 30u
#define RTRACE_OP_SLT 31u
#define RTRACE_OP_SLE 32u
#define RTRACE_OP_SLTU 33u
#define RTRACE_OP_SLEU 34u
#define RTRACE_OP_SCMP 35u /* strings: -1, 0 or 1 */
#define RTRACE_OP_ADDI 36u /* d = a op i */
#define RTRACE_OP_MULI 37u
#define RTRACE_OP_ANDI 38u
#define RTRACE_OP_SHLI 39u
#define RTRACE_OP_SHRI 40u
#define RTRACE_OP_SARI 41u
#define RTRACE_OP_SEQI 42u
#define RTRACE_OP_NEG 43u /* d = op a */
#define RTRACE_OP_NOT 44u /* ~a */
#define RTRACE_OP_LNOT 45u /* !a */
#define RTRACE_OP_SX8 46u /* the low bits, sign-extended */
#define RTRACE_OP_SX16 47u
#define RTRACE_OP_SX32 48u
#define RTRACE_OP_ZX8 49u /* zero-extended */
#define RTRACE_OP_ZX16 50u
#define RTRACE_OP_ZX32 51u
/* Memory: at a + i, in the kernel or the firing's own. Fault BADADDR. */
#define RTRACE_OP_LD8 52u
#define RTRACE_OP_LD16 53u
#define RTRACE_OP_LD32 54u
#define RTRACE_OP_LD64 55u
#define RTRACE_OP_LDSX8 56u
#define RTRACE_OP_LDSX16 57u
#define RTRACE_OP_LDSX32 58u
#define RTRACE_OP_LDSTR 59u /* d = temporary copy of the string at a; at most i bytes if i > 0; strsize always */
#define RTRACE_OP_LDMEM 60u /* d = temporary copy of the i bytes at a */
#define RTRACE_OP_GET 61u    /* d = the number RTRACE_VAR_* i */
#define RTRACE_OP_GETSTR 62u /* d = temporary string, RTRACE_VAR_* i */
/* Variables without keys (global, local); a string's or bytes' register holds a pointer. */
#define RTRACE_OP_LDV 63u /* d = variables[i] */
#define RTRACE_OP_STV 64u /* variables[i] = a; a string that is pointer 0 is so when it is loaded */
/* The tuple of keys: each takes 8 bytes, or 8 and as many as it is long, rounded up to 8. */
#define RTRACE_OP_KEY0 65u /* begin an empty one */
#define RTRACE_OP_KEY 66u  /* append the number a */
#define RTRACE_OP_KEYS 67u /* append the string a: its length, and its bytes */
#define RTRACE_OP_KEYB 68u /* append the i bytes at a: i, and they */
#define RTRACE_OP_KEYP 69u /* append the probe's index; bit 31: the clause is for system calls */
#define RTRACE_OP_KEYK 70u /* append i kernel frames at most: how many, and they */
#define RTRACE_OP_KEYU 71u /* the same of the user stack: the process's id comes first */
/* Dynamic variables (arrays, thread-local): by the tuple, if they are arrays. */
#define RTRACE_OP_LDD 72u /* d = variables[i]; if there is none 0, bytes of 0, or pointer 0 (strings) */
#define RTRACE_OP_STD 73u /* variables[i] = a; a 0 (scalar) or pointer 0 (others) frees it */
#define RTRACE_OP_AGG 74u /* aggregations[i] takes a, with weight b (quantize and kin; AVG, SUM … take a alone) */
/* Items of the record, named by i: RTRACE_ITEM(action, argument). */
#define RTRACE_OP_EMIT 75u  /* the number a */
#define RTRACE_OP_EMITS 76u /* the string a, NUL not included */
#define RTRACE_OP_EMITB 77u /* b bytes at a */
#define RTRACE_OP_EMITP 78u /* nothing: what stands for the probe is in the head */
#define RTRACE_OP_EMITK 79u /* the kernel stack: at most a + 256 * b frames (no registers) */
#define RTRACE_OP_EMITU 80u /* the user stack: the process's id, then the frames */
#define RTRACE_OP_SPECNEW 81u /* d = a speculation's number, or 0: none is free */
#define RTRACE_OP_SPECULATE 82u /* the record belongs to the speculation a, and takes i of its bytes */
/* The next two: a beyond rtrace_program.speculations is fault ILLOP. */
#define RTRACE_OP_COMMIT 83u  /* item i: the speculation a ends, and its records count; if the
			       * clause's record is dropped it goes on */
#define RTRACE_OP_DISCARD 84u /* item i: the speculation a ends, and its records do not */
#define RTRACE_OP_EXIT 85u /* item i, the number a: nothing fires any more, but END */
#define RTRACE_OP_CALL 86u /* d = subroutine i (RTRACE_SUB_*) of the b registers from a on */
/* Stores: the low bits of b, at a + i, in the firing's own memory only. Faults BADADDR, BADSIZE. */
#define RTRACE_OP_ST8 87u
#define RTRACE_OP_ST16 88u
#define RTRACE_OP_ST32 89u
#define RTRACE_OP_ST64 90u
#define RTRACE_OP_BOUND 91u /* unless a is below i, unsigned: fault BADINDEX */
#define RTRACE_OP_SIZE 92u /* unless a is below i, unsigned: fault BADSIZE */
#define RTRACE_OPS 93u

#define RTRACE_ITEM(action, argument) (((action) << 16) | (argument))

/* Built-in numbers (GET). */
#define RTRACE_VAR_ARG0 0u /* to ARG0 + 9: as D has them, by the probe's provider */
#define RTRACE_VAR_ENTRYARG0 16u /* to + 5; return probes: the arguments at entry */
#define RTRACE_VAR_TIMESTAMP 32u /* ns, CLOCK_MONOTONIC, the same all through a firing */
#define RTRACE_VAR_VTIMESTAMP 33u /* ns, of the thread on CPUs */
#define RTRACE_VAR_WALLTIMESTAMP 34u /* ns since 1970 */
#define RTRACE_VAR_ELAPSED 35u /* ns since the call's entry; return probes */
#define RTRACE_VAR_ID 36u /* the probe's id */
#define RTRACE_VAR_EPID 37u /* the clause's and probe's enabling */
#define RTRACE_VAR_PROBE 38u /* the probe's index */
#define RTRACE_VAR_CPU 39u
#define RTRACE_VAR_PID 40u
#define RTRACE_VAR_TID 41u
#define RTRACE_VAR_PPID 42u
#define RTRACE_VAR_UID 43u
#define RTRACE_VAR_GID 44u
#define RTRACE_VAR_ERRNO 45u /* of the system call or function that returns; else 0 */
#define RTRACE_VAR_CURTHREAD 46u /* pointer to the task_struct */
#define RTRACE_VAR_CALLER 47u
#define RTRACE_VAR_STACKDEPTH 48u
#define RTRACE_VAR_USTACKDEPTH 49u
#define RTRACE_VAR_UCALLER 50u
#define RTRACE_VAR_IPL 51u /* RTRACE_CONTEXT_* */
#define RTRACE_VAR_TARGET 52u /* the process of RTRACE_IOC_TARGET; 0: none */
/* Built-in strings (GETSTR). */
#define RTRACE_VAR_EXECNAME 64u
#define RTRACE_VAR_PROBEPROV 65u
#define RTRACE_VAR_PROBEMOD 66u
#define RTRACE_VAR_PROBEFUNC 67u
#define RTRACE_VAR_PROBENAME 68u
#define RTRACE_VAR_CWD 69u
/* Built-in numbers again. */
#define RTRACE_VAR_UREG0 128u /* to + RTRACE_UREGS - 1: RTRACE_UREG_*; 0 if the task has none */

/* Registers of the current task in user space, by DTrace's numbers: those of x86-64. */
#define RTRACE_UREG_R15 0u
#define RTRACE_UREG_R14 1u
#define RTRACE_UREG_R13 2u
#define RTRACE_UREG_R12 3u
#define RTRACE_UREG_RBP 4u
#define RTRACE_UREG_RBX 5u
#define RTRACE_UREG_R11 6u
#define RTRACE_UREG_R10 7u
#define RTRACE_UREG_R9 8u
#define RTRACE_UREG_R8 9u
#define RTRACE_UREG_RAX 10u
#define RTRACE_UREG_RCX 11u
#define RTRACE_UREG_RDX 12u
#define RTRACE_UREG_RSI 13u
#define RTRACE_UREG_RDI 14u
#define RTRACE_UREG_ERR 15u /* the system call's number, or an exception's error code */
#define RTRACE_UREG_RIP 16u
#define RTRACE_UREG_CS 17u
#define RTRACE_UREG_RFL 18u
#define RTRACE_UREG_RSP 19u
#define RTRACE_UREG_SS 20u
/* As the kernel has last kept them of the thread; of FS and GS the bases. */
#define RTRACE_UREG_DS 21u
#define RTRACE_UREG_ES 22u
#define RTRACE_UREG_FS 23u
#define RTRACE_UREG_GS 24u
#define RTRACE_UREG_TRAPNO 25u
#define RTRACE_UREGS 26u

/* Subroutines (CALL); strings are pointers, and so are results that are strings. */
#define RTRACE_SUB_RAND 0u
#define RTRACE_SUB_STRLEN 1u
#define RTRACE_SUB_STRJOIN 2u
#define RTRACE_SUB_STRCHR 3u  /* pointer to the rest, or 0 */
#define RTRACE_SUB_STRRCHR 4u
#define RTRACE_SUB_STRSTR 5u
#define RTRACE_SUB_STRTOK 6u /* (s, between), or (between): goes on with the last s, of this firing */
#define RTRACE_SUB_SUBSTR 7u /* (s, index) or (s, index, length) */
#define RTRACE_SUB_INDEX 8u  /* (s, sub) or (s, sub, from) */
#define RTRACE_SUB_RINDEX 9u
#define RTRACE_SUB_BASENAME 10u
#define RTRACE_SUB_DIRNAME 11u
#define RTRACE_SUB_CLEANPATH 12u
#define RTRACE_SUB_LLTOSTR 13u /* (n) or (n, base) */
#define RTRACE_SUB_STRTOLL 14u /* (s) or (s, base) */
#define RTRACE_SUB_TOUPPER 15u
#define RTRACE_SUB_TOLOWER 16u
#define RTRACE_SUB_INET_NTOA 17u /* pointer to 4 bytes */
#define RTRACE_SUB_INET_NTOA6 18u /* (pointer to 16 bytes) or (pointer, whether IPv4 is shown in full) */
#define RTRACE_SUB_INET_NTOP 19u /* (family, pointer) */
#define RTRACE_SUB_LINK_NTOP 20u /* (type, pointer) */
#define RTRACE_SUB_HTONS 21u	 /* and NTOHS */
#define RTRACE_SUB_HTONL 22u
#define RTRACE_SUB_HTONLL 23u
#define RTRACE_SUB_PROGENYOF 24u
#define RTRACE_SUB_COPYIN 25u	 /* (user address, bytes): pointer to a temporary copy */
#define RTRACE_SUB_COPYINSTR 26u /* (user address) or (user address, at most, its NUL included) */
#define RTRACE_SUB_COPYINTO 27u	 /* (user address, bytes, pointer into own memory) */
#define RTRACE_SUB_ALLOCA 28u	 /* (bytes) */
#define RTRACE_SUB_BCOPY 29u	 /* (from, to own memory, bytes) */
#define RTRACE_SUB_GETMAJOR 30u
#define RTRACE_SUB_GETMINOR 31u
#define RTRACE_SUB_D_PATH 32u	 /* (struct path *) */
#define RTRACE_SUB_STRNCMP 33u	 /* reserved for memory comparison: (s, t, n) */
#define RTRACE_SUB_EXECARGS 34u	 /* (user address, bytes): the string there, a blank for each NUL but the last */
#define RTRACE_SUB_JSON 35u /* (text in JSON, path): the value there, or 0 */
#define RTRACE_SUB_STACK 36u	 /* (frames at most): pointer to a struct rtrace_stack */
#define RTRACE_SUB_USTACK 37u	 /* the same, or (frames at most, strsz) */
#define RTRACE_SUBS 38u

/* A stack in memory, innermost first. */
struct rtrace_stack {
	__u32 depth; /* how many frames there are */
	__u32 is_user;
	__u32 pid;   /* of a user stack: whose */
	__u32 strsz; /* as it was given */
	__u64 addrs[RTRACE_STACK_FRAMES_MAX];
};

/* ---- what a clause writes ---------------------------------------------------- */

#define RTRACE_RECORD_CLAUSE 8u /* struct rtrace_record_clause */
#define RTRACE_RECORD_FAULT 9u	/* struct rtrace_record_fault */

/* Behind rtrace_record: a clause's items, each a multiple of 8 bytes. */
struct rtrace_record_clause {
	__u32 info; /* as struct rtrace_record */
	__u32 position;
	__u64 time;
	__u32 probe; /* index */
	__u32 cpu;
	__u32 pid;
	__u32 tid;
	__u32 clause; /* index */
	__u32 items;  /* how many follow */
	__u64 speculation; /* 0: none; else the number of the one it belongs to */
	/* struct rtrace_item items[]; */
};

struct rtrace_item {
	__u16 argument; /* of RTRACE_ITEM */
	__u16 action;
	__u32 bytes; /* of what follows, without the rounding up to 8 */
	/* __u8 payload[]; */
};

/* Why a clause could not go on, as DTrace's DTRACEFLT_*. */
#define RTRACE_FAULT_UNKNOWN 0u
#define RTRACE_FAULT_BADADDR 1u	  /* address: what was asked for */
#define RTRACE_FAULT_BADALIGN 2u
#define RTRACE_FAULT_ILLOP 3u
#define RTRACE_FAULT_DIVZERO 4u
#define RTRACE_FAULT_NOSCRATCH 5u
#define RTRACE_FAULT_KPRIV 6u	  /* not what this node shows */
#define RTRACE_FAULT_UPRIV 7u
#define RTRACE_FAULT_TUPOFLOW 8u  /* the tuple of keys is too long */
#define RTRACE_FAULT_BADSTACK 9u
#define RTRACE_FAULT_BADSIZE 10u  /* address: the size, which is more than there is or may be */
#define RTRACE_FAULT_BADINDEX 11u /* address: the index, which is not of the array */
/* Those of the module's own. */
#define RTRACE_FAULT_TOOBIG 32u	  /* the record is too long */

struct rtrace_record_fault {
	__u32 info;
	__u32 position;
	__u64 time;
	__u32 probe;
	__u32 cpu;
	__u32 pid;
	__u32 tid;
	__u32 clause;
	__u32 fault;	   /* RTRACE_FAULT_* */
	__u32 instruction; /* of the clause, from 0 */
	__u32 epid;	   /* the enabling, RTRACE_VAR_EPID */
	__u64 address;
};

#endif /* _UAPI_RUST_TRACER_PROGRAM_H */
