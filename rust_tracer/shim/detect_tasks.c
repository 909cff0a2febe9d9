// SPDX-License-Identifier: GPL-2.0
/* For the views (see detect.c): tasks, and the operations of a file. */
#include <linux/cgroup-defs.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/magic.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/tracepoint.h>
#include <net/sock.h>

#include "../../include/uapi/rust_tracer.h"
#include "detect_at.h"

/* ---- tasks --------------------------------------------------------------------------------------- */

#define RTRACE_RAN_BITS 12
#define RTRACE_RAN_TRIES 32

/* Guards the rest of this section. */
static DEFINE_MUTEX(rtrace_tasks_mutex);
/* Tasks that ran; each is held. */
static struct task_struct *rtrace_ran[1 << RTRACE_RAN_BITS];
static struct tracepoint *rtrace_switch_point;

/* A task that is alive; preemption off, any context but NMI. */
static void rtrace_saw(struct task_struct *task)
{
	unsigned int at = hash_ptr(task, RTRACE_RAN_BITS), i;

	for (i = 0; i < RTRACE_RAN_TRIES; i++) {
		struct task_struct **slot = &rtrace_ran[(at + i) % ARRAY_SIZE(rtrace_ran)];
		struct task_struct *other = READ_ONCE(*slot);

		if (!other)
			other = cmpxchg(slot, NULL, task);
		if (!other)
			get_task_struct(task);
		if (!other || other == task)
			return;
	}
}

static void rtrace_switched(void *data, bool preempt, struct task_struct *prev,
			    struct task_struct *next, unsigned int state)
{
	rtrace_saw(prev);
	rtrace_saw(next);
}

static void rtrace_see_current(void *data)
{
	rtrace_saw(current);
}

static void rtrace_find_switch_point(struct tracepoint *point, void *data)
{
	if (!strcmp(point->name, "sched_switch"))
		rtrace_switch_point = point;
}

static int rtrace_watch_cpus(void)
{
	int error;

	if (!rtrace_switch_point)
		for_each_kernel_tracepoint(rtrace_find_switch_point, NULL);
	if (!rtrace_switch_point)
		return -EOPNOTSUPP;
	error = tracepoint_probe_register(rtrace_switch_point, rtrace_switched, NULL);
	if (error)
		return error;
	/* Who does not switch runs now. */
	on_each_cpu(rtrace_see_current, NULL, 1);
	schedule_timeout_killable(msecs_to_jiffies(RTRACE_LOOK_MS));
	tracepoint_probe_unregister(rtrace_switch_point, rtrace_switched, NULL);
	tracepoint_synchronize_unregister();
	return 0;
}

static void rtrace_tell_task(struct task_struct *task, u32 seen, rtrace_each each, void *data)
{
	struct rtrace_task_fact fact = {
		.structure = (unsigned long)task,
		.pid = task->pid,
		.tgid = task->tgid,
		.seen = seen,
		.uid = from_kuid(&init_user_ns, task_uid(task)),
	};

	/* An idle task is nobody's: it is on no list. Another one that has no number hides. */
	if (!task->pid && is_idle_task(task))
		return;
	if (READ_ONCE(task->exit_state) || READ_ONCE(task->flags) & PF_EXITING)
		fact.seen |= RTRACE_TASK_EXITING;
	if (READ_ONCE(task->flags) & PF_KTHREAD)
		fact.seen |= RTRACE_TASK_KERNEL;
	static_assert(sizeof(fact.comm) == TASK_COMM_LEN);
	memcpy(fact.comm, task->comm, sizeof(fact.comm));
	fact.comm[sizeof(fact.comm) - 1] = 0;
	each(data, &fact);
}

/*
 * Lists of tasks have no more than there are numbers; who hides is taken out of some,
 * and may have left them in a knot.
 */
#define RTRACE_TASKS_MAX PID_MAX_LIMIT

/* A task's children hang below the thread that made them. */
static void rtrace_tell_children(struct task_struct *task, rtrace_each each, void *data)
{
	const struct list_head *head = &task->children, *at = head->next;
	unsigned int steps;

	for (steps = 0; at != head && steps < RTRACE_TASKS_MAX; at = at->next, steps++)
		rtrace_tell_task(list_entry(at, struct task_struct, sibling), RTRACE_TASK_CHILD,
				 each, data);
}

static void rtrace_tell_threads(struct task_struct *process, rtrace_each each, void *data)
{
	const struct list_head *head = &process->signal->thread_head, *at = head->next;
	unsigned int steps;

	for (steps = 0; at != head && steps < RTRACE_TASKS_MAX; at = at->next, steps++)
		rtrace_tell_task(list_entry(at, struct task_struct, thread_node),
				 RTRACE_TASK_THREAD, each, data);
}

static void rtrace_tell_children_of_all(struct task_struct *process, rtrace_each each, void *data)
{
	const struct list_head *head = &process->signal->thread_head, *at = head->next;
	unsigned int steps;

	for (steps = 0; at != head && steps < RTRACE_TASKS_MAX; at = at->next, steps++)
		rtrace_tell_children(list_entry(at, struct task_struct, thread_node), each, data);
}

static void rtrace_tell_group(const struct list_head *head, rtrace_each each, void *data)
{
	const struct list_head *at = head->next;
	unsigned int steps;

	for (steps = 0; at != head && steps < RTRACE_TASKS_MAX; at = at->next, steps++)
		rtrace_tell_task(list_entry(at, struct task_struct, cg_list), RTRACE_TASK_GROUPED,
				 each, data);
}

/* CSS_SET_HASH_BITS, kernel/cgroup/cgroup.c. */
#define RTRACE_GROUPS_BITS 7

/* Tasks that are in the same control groups have a list of their own. */
static void rtrace_tell_groups(rtrace_each each, void *data)
{
	const struct hlist_head *table = (const struct hlist_head *)rtrace_at.task_groups;
	spinlock_t *lock = (spinlock_t *)rtrace_at.task_groups_lock;
	unsigned int i, steps;
	struct css_set *set;

	if (rtrace_at.task_groups <= RTRACE_SEVERAL || rtrace_at.task_groups_lock <= RTRACE_SEVERAL)
		return;
	for (i = 0; i < 1 << RTRACE_GROUPS_BITS; i++) {
		steps = 0;
		/* Not for longer: interrupts are off. */
		spin_lock_irq(lock);
		hlist_for_each_entry(set, &table[i], hlist) {
			if (steps++ >= RTRACE_TASKS_MAX)
				break;
			rtrace_tell_group(&set->tasks, each, data);
			rtrace_tell_group(&set->mg_tasks, each, data);
		}
		spin_unlock_irq(lock);
	}
}

int rtrace_each_task(rtrace_each each, void *data)
{
	rwlock_t *lock = (rwlock_t *)rtrace_at.tasks_lock;
	struct task_struct *process, *task;
	unsigned int i, steps = 0;
	struct pid *pid;
	int error;

	if (!lock)
		return -EOPNOTSUPP;
	error = mutex_lock_killable(&rtrace_tasks_mutex);
	if (error)
		return error;
	error = rtrace_watch_cpus();
	if (error)
		goto out;
	/* Tasks come and go under this lock: what is seen below is of one moment. */
	read_lock(lock);
	rcu_read_lock();
	for_each_process(process) {
		if (steps++ >= RTRACE_TASKS_MAX)
			break;
		rtrace_tell_task(process, RTRACE_TASK_LISTED, each, data);
		rtrace_tell_threads(process, each, data);
		rtrace_tell_children_of_all(process, each, data);
	}
	/* The first process and kthreadd hang below the idle task. */
	rtrace_tell_children(&init_task, each, data);
	for (pid = find_ge_pid(1, &init_pid_ns); pid;
	     pid = find_ge_pid(pid_nr(pid) + 1, &init_pid_ns)) {
		task = pid_task(pid, PIDTYPE_PID);
		if (!task)
			continue;
		rtrace_tell_task(task, RTRACE_TASK_PID, each, data);
		/* Of who is not on the list these are not known yet. */
		rtrace_tell_children(task, each, data);
		if (thread_group_leader(task))
			rtrace_tell_threads(task, each, data);
	}
	for (i = 0; i < ARRAY_SIZE(rtrace_ran); i++)
		if (rtrace_ran[i])
			rtrace_tell_task(rtrace_ran[i], RTRACE_TASK_RAN, each, data);
	rcu_read_unlock();
	rtrace_tell_groups(each, data);
	read_unlock(lock);
out:
	for (i = 0; i < ARRAY_SIZE(rtrace_ran); i++) {
		if (rtrace_ran[i])
			put_task_struct(rtrace_ran[i]);
		rtrace_ran[i] = NULL;
	}
	mutex_unlock(&rtrace_tasks_mutex);
	return error;
}

/* ---- a file ------------------------------------------------------------------------------------------ */

static void rtrace_tell_pointer(const char *name, const void *at, rtrace_each each, void *data)
{
	struct rtrace_pointer_fact fact = {};
	unsigned long value;

	if (!rtrace_get(value, (const unsigned long *)at) || !value)
		return;
	strscpy((char *)fact.name, name, sizeof(fact.name));
	fact.value = value;
	each(data, &fact);
}

struct rtrace_member {
	const char *name;
	size_t at;
};

#define RTRACE_F_OP(member) { "f_op." #member, offsetof(struct file_operations, member) }
static const struct rtrace_member rtrace_file_operations[] = {
	RTRACE_F_OP(llseek), RTRACE_F_OP(read), RTRACE_F_OP(write), RTRACE_F_OP(read_iter),
	RTRACE_F_OP(write_iter), RTRACE_F_OP(iopoll), RTRACE_F_OP(iterate_shared),
	RTRACE_F_OP(poll), RTRACE_F_OP(unlocked_ioctl), RTRACE_F_OP(compat_ioctl),
	RTRACE_F_OP(mmap), RTRACE_F_OP(mmap_prepare), RTRACE_F_OP(open), RTRACE_F_OP(flush),
	RTRACE_F_OP(release), RTRACE_F_OP(fsync), RTRACE_F_OP(fasync), RTRACE_F_OP(lock),
	RTRACE_F_OP(get_unmapped_area), RTRACE_F_OP(check_flags), RTRACE_F_OP(flock),
	RTRACE_F_OP(splice_write), RTRACE_F_OP(splice_read), RTRACE_F_OP(splice_eof),
	RTRACE_F_OP(setlease), RTRACE_F_OP(fallocate), RTRACE_F_OP(show_fdinfo),
	RTRACE_F_OP(copy_file_range), RTRACE_F_OP(remap_file_range), RTRACE_F_OP(fadvise),
	RTRACE_F_OP(uring_cmd), RTRACE_F_OP(uring_cmd_iopoll),
};

#define RTRACE_I_OP(member) { "i_op." #member, offsetof(struct inode_operations, member) }
static const struct rtrace_member rtrace_inode_operations[] = {
	RTRACE_I_OP(lookup), RTRACE_I_OP(get_link), RTRACE_I_OP(permission), RTRACE_I_OP(create),
	RTRACE_I_OP(unlink), RTRACE_I_OP(rename), RTRACE_I_OP(setattr), RTRACE_I_OP(getattr),
	RTRACE_I_OP(listxattr),
};

#define RTRACE_S_OP(member) { "s_op." #member, offsetof(struct super_operations, member) }
static const struct rtrace_member rtrace_super_operations[] = {
	RTRACE_S_OP(alloc_inode), RTRACE_S_OP(destroy_inode), RTRACE_S_OP(free_inode),
	RTRACE_S_OP(drop_inode), RTRACE_S_OP(evict_inode), RTRACE_S_OP(statfs),
	RTRACE_S_OP(show_options),
};

#define RTRACE_D_OP(member) { "d_op." #member, offsetof(struct dentry_operations, member) }
static const struct rtrace_member rtrace_dentry_operations[] = {
	RTRACE_D_OP(d_revalidate), RTRACE_D_OP(d_hash), RTRACE_D_OP(d_compare),
	RTRACE_D_OP(d_delete), RTRACE_D_OP(d_release), RTRACE_D_OP(d_iput), RTRACE_D_OP(d_dname),
};

#define RTRACE_PROC(member) { "proc_ops." #member, offsetof(struct proc_ops, member) }
static const struct rtrace_member rtrace_proc_operations[] = {
	RTRACE_PROC(proc_open), RTRACE_PROC(proc_read), RTRACE_PROC(proc_read_iter),
	RTRACE_PROC(proc_write), RTRACE_PROC(proc_lseek), RTRACE_PROC(proc_release),
	RTRACE_PROC(proc_poll), RTRACE_PROC(proc_ioctl), RTRACE_PROC(proc_mmap),
	RTRACE_PROC(proc_get_unmapped_area),
};

#define RTRACE_SEQ(member) { "seq_operations." #member, offsetof(struct seq_operations, member) }
static const struct rtrace_member rtrace_seq_operations[] = {
	RTRACE_SEQ(start), RTRACE_SEQ(stop), RTRACE_SEQ(next), RTRACE_SEQ(show),
};

/* A pointer to a structure of pointers, and these. */
static void rtrace_tell_operations(const char *name, const void *at,
				   const struct rtrace_member *members, size_t count,
				   rtrace_each each, void *data)
{
	const char *operations;

	if (!rtrace_get(operations, (const char *const *)at) || !operations)
		return;
	rtrace_tell_pointer(name, at, each, data);
	for (; count--; members++)
		rtrace_tell_pointer(members->name, operations + members->at, each, data);
}

#define rtrace_tell_members(name, at, members, each, data) \
	rtrace_tell_operations(name, at, members, ARRAY_SIZE(members), each, data)

/* The first fields of struct proc_inode and of struct proc_dir_entry, fs/proc/internal.h. */
struct rtrace_proc_inode {
	struct pid *pid;
	unsigned int fd;
	void *op;
	const struct rtrace_proc_entry *entry;
	void *sysctl;
	const void *sysctl_entry;
	struct hlist_node sibling_inodes;
	const void *ns_ops;
	struct inode vfs_inode;
};

struct rtrace_proc_entry {
	atomic_t in_use;
	refcount_t refcnt;
	struct list_head pde_openers;
	spinlock_t pde_unload_lock;
	struct completion *pde_unload_completion;
	const struct inode_operations *proc_iops;
	const void *proc_ops;
	const void *seq_ops;
};

static const struct rtrace_proc_entry *rtrace_proc_entry_of(const struct inode *inode)
{
	const struct rtrace_proc_entry *entry;
	const struct inode_operations *operations;
	atomic_t users;

	if (inode->i_sb->s_magic != PROC_SUPER_MAGIC ||
	    !rtrace_get(entry,
			&container_of(inode, struct rtrace_proc_inode, vfs_inode)->entry) ||
	    !entry || !rtrace_get(operations, &entry->proc_iops))
		return NULL;
	/* What was removed may have been a module's that is gone, with its operations. */
	if (!rtrace_get(users, &entry->in_use) || atomic_read(&users) < 0)
		return NULL;
	/* An inode has its operations from its entry; else this is no such structure. */
	return operations == inode->i_op ? entry : NULL;
}

/* Whether these two, of a table that may be anything, are those of seq_file. */
static bool rtrace_is_seq(const void *read_at, const void *read_iter_at)
{
	unsigned long read, read_iter;

	return rtrace_get(read, (const unsigned long *)read_at) &&
	       rtrace_get(read_iter, (const unsigned long *)read_iter_at) &&
	       (read == (unsigned long)seq_read || read_iter == (unsigned long)seq_read_iter);
}

#define RTRACE_PROTO_OPS(member) { "proto_ops." #member, offsetof(struct proto_ops, member) }
static const struct rtrace_member rtrace_proto_operations[] = {
	RTRACE_PROTO_OPS(release), RTRACE_PROTO_OPS(bind), RTRACE_PROTO_OPS(connect),
	RTRACE_PROTO_OPS(socketpair), RTRACE_PROTO_OPS(accept), RTRACE_PROTO_OPS(getname),
	RTRACE_PROTO_OPS(poll), RTRACE_PROTO_OPS(ioctl), RTRACE_PROTO_OPS(listen),
	RTRACE_PROTO_OPS(shutdown), RTRACE_PROTO_OPS(setsockopt), RTRACE_PROTO_OPS(getsockopt),
	RTRACE_PROTO_OPS(show_fdinfo), RTRACE_PROTO_OPS(sendmsg), RTRACE_PROTO_OPS(recvmsg),
	RTRACE_PROTO_OPS(mmap), RTRACE_PROTO_OPS(splice_read), RTRACE_PROTO_OPS(read_sock),
	RTRACE_PROTO_OPS(read_skb), RTRACE_PROTO_OPS(sendmsg_locked),
};

#define RTRACE_SK_PROT(member) { "sk_prot." #member, offsetof(struct proto, member) }
static const struct rtrace_member rtrace_sock_operations[] = {
	RTRACE_SK_PROT(close), RTRACE_SK_PROT(pre_connect), RTRACE_SK_PROT(connect),
	RTRACE_SK_PROT(disconnect), RTRACE_SK_PROT(accept), RTRACE_SK_PROT(ioctl),
	RTRACE_SK_PROT(init), RTRACE_SK_PROT(destroy), RTRACE_SK_PROT(shutdown),
	RTRACE_SK_PROT(setsockopt), RTRACE_SK_PROT(getsockopt), RTRACE_SK_PROT(sendmsg),
	RTRACE_SK_PROT(recvmsg), RTRACE_SK_PROT(splice_eof), RTRACE_SK_PROT(bind),
	RTRACE_SK_PROT(backlog_rcv), RTRACE_SK_PROT(release_cb), RTRACE_SK_PROT(hash),
	RTRACE_SK_PROT(unhash), RTRACE_SK_PROT(rehash), RTRACE_SK_PROT(get_port),
};

static void rtrace_tell_socket(struct inode *inode, rtrace_each each, void *data)
{
	const struct socket *socket = SOCKET_I(inode);
	const struct sock *sock;

	rtrace_tell_members("proto_ops", &socket->ops, rtrace_proto_operations, each, data);
	if (rtrace_get(sock, &socket->sk) && sock)
		rtrace_tell_members("sk_prot", &sock->sk_prot, rtrace_sock_operations, each, data);
}

int rtrace_each_pointer(s32 fd, rtrace_each each, void *data)
{
	struct file *file = fd < 0 ? NULL : fget(fd);
	const struct rtrace_proc_entry *entry;
	const struct file_operations *fops;
	const struct proc_ops *proc;
	struct inode *inode;
	bool seq;

	if (!file)
		return -EBADF;
	inode = file_inode(file);
	fops = file->f_op;
	rtrace_tell_members("f_op", &file->f_op, rtrace_file_operations, each, data);
	rtrace_tell_members("i_op", &inode->i_op, rtrace_inode_operations, each, data);
	rtrace_tell_pointer("i_fop", &inode->i_fop, each, data);
	rtrace_tell_members("s_op", &inode->i_sb->s_op, rtrace_super_operations, each, data);
	rtrace_tell_members("d_op", &file->f_path.dentry->d_op, rtrace_dentry_operations, each,
			    data);
	seq = rtrace_is_seq(&fops->read, &fops->read_iter);
	entry = rtrace_proc_entry_of(inode);
	if (entry && S_ISREG(inode->i_mode)) {
		rtrace_tell_members("proc_ops", &entry->proc_ops, rtrace_proc_operations, each,
				    data);
		rtrace_tell_pointer("proc_dir_entry.seq_ops", &entry->seq_ops, each, data);
		if (rtrace_get(proc, &entry->proc_ops) && proc)
			seq |= rtrace_is_seq(&proc->proc_read, &proc->proc_read_iter);
	}
	if (S_ISSOCK(inode->i_mode) && inode->i_sb->s_magic == SOCKFS_MAGIC)
		rtrace_tell_socket(inode, each, data);
	/* Who only writes may have something else there. */
	if (seq && file->f_mode & FMODE_READ && file->private_data) {
		const struct seq_file *reader = file->private_data;

		rtrace_tell_members("seq_operations", &reader->op, rtrace_seq_operations, each,
				    data);
	}
	fput(file);
	return 0;
}
