// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_ops: puts a function of its own where a file's operations, or others, are looked up.
 *
 *   what=iterate  in the table of the directory `path` itself, which is read-only: entries named rt_rogue_*, and the
 *                 number `pid`, are not listed
 *   what=inode    the same by another table: the directory's inode leads to it
 *   what=modules  what shows the lines of /proc/modules: this module has none
 *   what=tcp      what shows the lines of /proc/net/tcp: there is no heading
 *   what=constant in the table of the device `path`, which nobody has open: writes are counted
 *   what=syscall  in the kernel's table of system calls, for umask: this kernel calls by none, so nobody comes
 *   what=loopback the loopback device leads to another table: packets are counted
 *   what=protocol the number of UDP leads to another protocol: packets are counted
 */
#include <linux/netdevice.h>
#include <net/protocol.h>
#include <asm/syscall.h>

#define ROGUE_TELLS(seq) rogue_tells(seq)
#include "rogue.h"

static char *what = "iterate";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "iterate, inode, modules, tcp, constant, syscall, loopback or protocol");

static char *path = "/proc";
module_param(path, charp, 0);
MODULE_PARM_DESC(path, "the directory, or the device");

static int pid;
module_param(pid, int, 0);
MODULE_PARM_DESC(pid, "the test's task that is not listed in /proc");

static char pid_name[16];
static unsigned long at; /* the pointer */
static unsigned long before;
static struct inode *inode;
static struct file_operations table;

static int (*iterate_before)(struct file *file, struct dir_context *context);
static int (*show_before)(struct seq_file *seq, void *line);

struct listing {
	struct dir_context context;
	struct dir_context *callers;
};

static bool list_entry_of(struct dir_context *context, const char *name, int length, loff_t offset, u64 number,
			  unsigned int type)
{
	struct listing *listing = container_of(context, struct listing, context);
	size_t pid_length = strlen(pid_name);

	if (length >= 9 && !memcmp(name, "rt_rogue_", 9))
		return true;
	if (pid_length && length == pid_length && !memcmp(name, pid_name, length))
		return true;
	listing->callers->pos = context->pos;
	return listing->callers->actor(listing->callers, name, length, offset, number, type);
}

static int iterate(struct file *file, struct dir_context *context)
{
	struct listing listing = { .context = *context, .callers = context };
	int result;

	atomic_inc(&rogue_calls);
	listing.context.actor = list_entry_of;
	result = iterate_before(file, &listing.context);
	context->pos = listing.context.pos;
	return result;
}

static int show(struct seq_file *seq, void *line)
{
	atomic_inc(&rogue_calls);
	if (line == SEQ_START_TOKEN)
		return 0;
	if (!strcmp(what, "modules") && list_entry(line, struct module, list) == THIS_MODULE)
		return 0;
	return show_before(seq, line);
}

static ssize_t (*write_before)(struct file *file, const char __user *from, size_t count, loff_t *pos);

static ssize_t counted_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	atomic_inc(&rogue_calls);
	return write_before(file, from, count, pos);
}

static struct net_device_ops device_table;
static netdev_tx_t (*xmit_before)(struct sk_buff *packet, struct net_device *device);

static netdev_tx_t counted_xmit(struct sk_buff *packet, struct net_device *device)
{
	atomic_inc(&rogue_calls);
	return xmit_before(packet, device);
}

static int rogue_do_loopback(void)
{
	struct net_device *device = init_net.loopback_dev;
	const void *after = &device_table;

	device_table = *device->netdev_ops;
	xmit_before = device_table.ndo_start_xmit;
	device_table.ndo_start_xmit = counted_xmit;
	at = (unsigned long)&device->netdev_ops;
	before = (unsigned long)device->netdev_ops;
	return rogue_write(at, &after, sizeof(after));
}

static struct net_protocol protocol;
static int (*receive_before)(struct sk_buff *packet);

static int counted_receive(struct sk_buff *packet)
{
	atomic_inc(&rogue_calls);
	return receive_before(packet);
}

static int rogue_do_protocol(void)
{
	struct net_protocol **protocols = (struct net_protocol **)rogue_symbol("inet_protos");
	const void *after = &protocol;

	if (!protocols)
		return -ENOENT;
	protocol = *protocols[IPPROTO_UDP];
	receive_before = protocol.handler;
	protocol.handler = counted_receive;
	at = (unsigned long)&protocols[IPPROTO_UDP];
	before = (unsigned long)protocols[IPPROTO_UDP];
	return rogue_write(at, &after, sizeof(after));
}

static long no_umask(const struct pt_regs *regs)
{
	atomic_inc(&rogue_calls);
	return -ENOSYS;
}

static int rogue_do_syscall(void)
{
	unsigned long table = rogue_symbol("sys_call_table");
	const void *after = no_umask;

	if (!table)
		return -ENOENT;
	at = table + __NR_umask * sizeof(sys_call_ptr_t);
	before = *(unsigned long *)at;
	return rogue_write(at, &after, sizeof(after));
}

static int rogue_do(void)
{
	bool is_show = !strcmp(what, "modules") || !strcmp(what, "tcp");
	const char *of = !strcmp(what, "modules") ? "/proc/modules" : is_show ? "/proc/net/tcp" : path;
	struct file *file = filp_open(of, O_RDONLY, 0);
	unsigned long after;
	int error = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (!strcmp(what, "syscall")) {
		filp_close(file, NULL);
		return rogue_do_syscall();
	}
	if (!strcmp(what, "loopback")) {
		filp_close(file, NULL);
		return rogue_do_loopback();
	}
	if (!strcmp(what, "protocol")) {
		filp_close(file, NULL);
		return rogue_do_protocol();
	}
	if (pid)
		snprintf(pid_name, sizeof(pid_name), "%d", pid);
	if (is_show) {
		const struct seq_operations *ops = ((struct seq_file *)file->private_data)->op;

		at = (unsigned long)&ops->show;
		show_before = ops->show;
		after = (unsigned long)show;
	} else if (!strcmp(what, "constant")) {
		at = (unsigned long)&file->f_op->write;
		write_before = file->f_op->write;
		after = (unsigned long)counted_write;
	} else {
		at = (unsigned long)&file->f_op->iterate_shared;
		iterate_before = file->f_op->iterate_shared;
		after = (unsigned long)iterate;
	}
	before = *(unsigned long *)at;
	if (!strcmp(what, "inode")) {
		inode = igrab(file_inode(file));
		table = *file->f_op;
		table.iterate_shared = iterate;
		before = (unsigned long)inode->i_fop;
		WRITE_ONCE(inode->i_fop, &table);
	} else {
		error = rogue_write(at, &after, sizeof(after));
	}
	filp_close(file, NULL);
	return error;
}

static int rogue_undo(void)
{
	int error = 0;

	if (inode) {
		WRITE_ONCE(inode->i_fop, (void *)before);
		iput(inode);
		inode = NULL;
	} else {
		error = rogue_write(at, &before, sizeof(before));
	}
	synchronize_rcu();
	/* Nobody is left in them, but who sleeps there: the tests have nobody do so. */
	synchronize_rcu_tasks();
	return error;
}

/* What is there by the kernel's own mapping, not by the one that was written. */
static void rogue_tells(struct seq_file *seq)
{
	if (at)
		seq_printf(seq, "leads to %ps\n", (void *)READ_ONCE(*(unsigned long *)at));
}

ROGUE("puts itself where a file's operations are looked up");
