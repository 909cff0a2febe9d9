// SPDX-License-Identifier: GPL-2.0
/*
 * The shim's half that has to do with access: who opened a node and whose a task
 * is, the work items that look after sessions, and the audit trail. As inlines.c,
 * without ftrace sites of its own.
 */
#include <linux/audit.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/path.h>
#include <linux/ratelimit.h>
#include <linux/sched/exec_state.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>

#include "../../include/uapi/rust_tracer.h"
#include "shim.h"

/* ---- opening -------------------------------------------------------------- */

bool rtrace_may_read(const struct file *file)
{
	return file->f_mode & FMODE_READ;
}

bool rtrace_may_write(const struct file *file)
{
	return file->f_mode & FMODE_WRITE;
}

bool rtrace_locked_down(void)
{
	return security_locked_down(LOCKDOWN_KPROBES) ||
	       security_locked_down(LOCKDOWN_TRACEFS);
}

/*
 * `mm` is held to be compared with, so that its address is not used again; it is
 * never looked into.
 */
struct rtrace_opener {
	const struct cred *cred;
	struct mm_struct *mm;
	struct path path;
	int wanted; /* MAY_* */
};

static bool rtrace_ids_are(const struct cred *cred, kuid_t uid, kgid_t gid)
{
	return uid_eq(cred->uid, uid) && uid_eq(cred->suid, uid) &&
	       uid_eq(cred->euid, uid) && uid_eq(cred->fsuid, uid) &&
	       gid_eq(cred->gid, gid) && gid_eq(cred->sgid, gid) &&
	       gid_eq(cred->egid, gid) && gid_eq(cred->fsgid, gid);
}

void rtrace_facts(struct rtrace_facts *facts)
{
	const struct cred *cred = current_cred();

	facts->uid = __kuid_val(cred->uid);
	facts->auid = __kuid_val(audit_get_loginuid(current));
	facts->ses = audit_get_sessionid(current);
	facts->pid = current->tgid;
	facts->initial = cred->user_ns == &init_user_ns;
	facts->plain = rtrace_ids_are(cred, cred->uid, cred->gid);
	facts->admin = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	facts->unlimited = ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
	strscpy_pad(facts->comm, current->comm);
}

bool rtrace_is_killed(void)
{
	return fatal_signal_pending(current);
}

struct rtrace_opener *rtrace_opener_new(struct file *file)
{
	struct rtrace_opener *opener = kzalloc(sizeof(*opener), GFP_KERNEL);

	if (!opener)
		return NULL;
	opener->cred = get_cred(file->f_cred);
	opener->mm = current->mm;
	if (opener->mm)
		mmgrab(opener->mm);
	opener->path = file->f_path;
	path_get(&opener->path);
	opener->wanted = (file->f_mode & FMODE_READ ? MAY_READ : 0) |
			 (file->f_mode & FMODE_WRITE ? MAY_WRITE : 0);
	return opener;
}

void rtrace_opener_free(struct rtrace_opener *opener)
{
	path_put(&opener->path);
	if (opener->mm)
		mmdrop(opener->mm);
	put_cred(opener->cred);
	kfree(opener);
}

bool rtrace_opener_admitted(const struct rtrace_opener *opener)
{
	struct inode *inode = d_inode(opener->path.dentry);
	bool admitted;

	if (!inode || !inode->i_nlink) /* the node was removed */
		return false;
	scoped_with_creds(opener->cred)
		admitted = !inode_permission(mnt_idmap(opener->path.mnt), inode,
					     opener->wanted);
	return admitted;
}

bool rtrace_opener_is_current(const struct rtrace_opener *opener)
{
	const struct cred *cred = current_cred(), *then = opener->cred;

	return current->mm == opener->mm && cred->user_ns == then->user_ns &&
	       uid_eq(cred->uid, then->uid) && uid_eq(cred->suid, then->suid) &&
	       uid_eq(cred->euid, then->euid) && uid_eq(cred->fsuid, then->fsuid) &&
	       gid_eq(cred->gid, then->gid) && gid_eq(cred->sgid, then->sgid) &&
	       gid_eq(cred->egid, then->egid) && gid_eq(cred->fsgid, then->fsgid);
}

bool rtrace_current_is_admin(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/*
 * As the kernel asks before it lets ptrace (__ptrace_may_access): all ids, and
 * nothing gained by a set-id program or a file's capabilities.
 */
static __always_inline bool rtrace_cred_is_own(const struct cred *cred,
					       const struct cred *mine)
{
	return cred == mine ||
	       (rtrace_ids_are(cred, mine->uid, mine->gid) &&
		cred->user_ns == mine->user_ns &&
		cred->securebits == mine->securebits &&
		cap_issubset(cred->cap_permitted, mine->cap_permitted));
}

/*
 * Whether the task is at its own work here. An interrupt that has not counted
 * itself yet, or no longer, looks like the task it came upon. One that came upon
 * the kernel has a stack of its own. One that came upon user space has not, but
 * interrupts are off and the task is in no system call; what an exception does
 * with interrupts off looks the same, and is left out with it.
 */
static __always_inline bool rtrace_is_task_work(void)
{
	unsigned long at = (unsigned long)__builtin_frame_address(0);

	return at - (unsigned long)task_stack_page(current) < THREAD_SIZE &&
	       !(irqs_disabled() && (long)task_pt_regs(current)->orig_ax == -1);
}

/* Whether the current task has what the opener had, whatever it is at. */
static __always_inline bool rtrace_opener_has_ids(const struct rtrace_opener *opener)
{
	const struct task_exec_state *state;

	/* The second is another one while the kernel works with foreign rights. */
	if (!rtrace_cred_is_own(current_real_cred(), opener->cred) ||
	    !rtrace_cred_is_own(current_cred(), opener->cred))
		return false;
	/* Not after a set-id program has dropped what it had, nor by prctl(2). */
	state = rcu_dereference_raw(current->exec_state);
	return state && READ_ONCE(state->dumpable) == TASK_DUMPABLE_OWNER;
}

bool rtrace_opener_owns_current(const struct rtrace_opener *opener)
{
	if (current->flags & (PF_KTHREAD | PF_USER_WORKER | PF_IO_WORKER) ||
	    !rtrace_is_task_work())
		return false;
	return rtrace_opener_has_ids(opener);
}

bool rtrace_opener_owns_interrupted(const struct rtrace_opener *opener,
				    const struct rtrace_place *place)
{
	return place->regs && user_mode((struct pt_regs *)place->regs) &&
	       rtrace_opener_has_ids(opener);
}

/* ---- the guard ------------------------------------------------------------ */

/*
 * Two queues: the guard must be in time, whatever there is no memory for and
 * however long the undertaker waits.
 */
static struct workqueue_struct *rtrace_guards;
static struct workqueue_struct *rtrace_undertakers;
static void rtrace_guard_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(rtrace_guard, rtrace_guard_work);

static void rtrace_guard_work(struct work_struct *work)
{
	if (rtrace_on_guard())
		rtrace_guard_wake();
}

static void rtrace_undertaker_work(struct work_struct *work)
{
	rtrace_on_undertaker();
}
static DECLARE_WORK(rtrace_undertaker, rtrace_undertaker_work);

int rtrace_guard_start(void)
{
	rtrace_guards = alloc_workqueue("rust_tracer",
					WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 1);
	if (!rtrace_guards)
		return -ENOMEM;
	rtrace_undertakers = alloc_workqueue("rust_tracer_dead", WQ_UNBOUND, 1);
	if (!rtrace_undertakers) {
		destroy_workqueue(rtrace_guards);
		return -ENOMEM;
	}
	return 0;
}

void rtrace_guard_stop(void)
{
	cancel_delayed_work_sync(&rtrace_guard);
	destroy_workqueue(rtrace_guards);
	destroy_workqueue(rtrace_undertakers);
}

void rtrace_undertaker_wake(void)
{
	queue_work(rtrace_undertakers, &rtrace_undertaker);
}

void rtrace_guard_wake(void)
{
	queue_delayed_work(rtrace_guards, &rtrace_guard,
			   msecs_to_jiffies(RTRACE_GUARD_MS));
}

/* ---- the audit trail ------------------------------------------------------ */

/*
 * Records of callers that cannot wait, and so could fill the audit system's queue
 * with them: so many in a while.
 */
static DEFINE_RATELIMIT_STATE(rtrace_audit_rate, 5 * HZ, 50);

bool rtrace_audit_has_room(void)
{
	return __ratelimit(&rtrace_audit_rate);
}

void rtrace_audit(const char *text, bool wait)
{
	audit_log(audit_context(), wait ? GFP_KERNEL : GFP_NOWAIT,
		  AUDIT_KERNEL_OTHER, "%s", text);
}
