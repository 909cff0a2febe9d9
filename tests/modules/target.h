/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions that the guest tests trace, and the commands that call them.
 *
 * A traced function must stay a function: its own ftrace site, its own symbol,
 * its arguments where the calling convention puts them.
 */
#ifndef RT_TARGET_H
#define RT_TARGET_H

#include <linux/compiler.h>
#include <linux/types.h>

/*
 * clang has no noipa, and leaves out calls of a function without effect whose
 * result nobody uses: such functions begin with a barrier().
 */
#if __has_attribute(__noipa__)
#define RT_TRACED __attribute__((__noipa__))
#else
#define RT_TRACED noinline
#endif

/* ---- functions.c: what is traced. A command calls them, and nobody else. -- */

u64 rt_plain(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
u64 rt_wide(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h);
u64 rt_recurse(u64 depth);
u64 rt_tail_outer(u64 x);
u64 rt_tail_inner(u64 x);
int rt_errno(int error);
u64 rt_value(u64 value);
void rt_void(u64 x);
u64 rt_named(u64 x);
u64 rt_other_name(u64 x);
u64 rt_sleep(u64 token);
u64 rt_die(u64 token);
u64 rt_softirq(u64 x);
u64 rt_irq(u64 x);
u64 rt_nmi(u64 x);
u64 rt_yield(u64 x);

/* Calls rt_plain with the arguments that belong to call number i. */
u64 rt_plain_nth(u64 i);

/* ---- the commands; each returns 0 or a negative errno --------------------- */

int rt_run_softirq(u64 count);
int rt_run_irq(u64 count);
int rt_run_ipi(u64 cpu, u64 count);
int rt_run_nmi(u64 cpu, u64 count);
int rt_contexts_init(void);
void rt_contexts_exit(void);

int rt_await_sleepers(u64 count);
int rt_release_sleepers(u64 count);
/* Writes the thread id of the task that died in rt_die to *tid. */
int rt_run_die(u64 token, u64 *tid);

/* Calls the functions of nested.c so often; the sum of the outermost's values. */
u64 rt_run_nested(u64 count);

int rt_run_storm(u64 threads, u64 count);

/* -EOPNOTSUPP on a kernel that does not fail on demand. */
int rt_fail_in_init(u64 nth);
int rt_fail_in_coming(u64 nth);
bool rt_has_failed(void);
unsigned int rt_counted(void);
int rt_shortage_init(void);
void rt_shortage_exit(void);

#endif /* RT_TARGET_H */
