// SPDX-License-Identifier: GPL-2.0
/*
 * Paths of files, from the dentries up.
 *
 * Any context, with preemption off. As inlines.c, without ftrace sites of its own; what is
 * called here can be traced itself: see rtrace_shield().
 */
#include <linux/dcache.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/path.h>
#include <linux/sched.h>

#include "shim.h"

/*
 * What lies before a struct vfsmount in its struct mount, which the kernel keeps to
 * itself. Read as all else is here, and believed only where something is mounted.
 */
struct rtrace_mount {
	u64 parent;
	u64 mountpoint;
	struct vfsmount mnt;
};

struct rtrace_at {
	u64 mnt;
	u64 dentry;
};

static bool rtrace_read_word(u64 *to, const void *from)
{
	return rtrace_read_kernel(to, (unsigned long)from, sizeof(*to));
}

/* The place at which what is mounted is seen; false at the top. */
static bool rtrace_below(struct rtrace_at *at)
{
	const struct rtrace_mount *mount =
		container_of((struct vfsmount *)at->mnt, struct rtrace_mount, mnt);
	const struct dentry *mountpoint;
	u64 parent, seen;
	u32 flags;

	if (!rtrace_read_word(&parent, &mount->parent) ||
	    !rtrace_read_word(&seen, &mount->mountpoint) ||
	    parent == (unsigned long)mount)
		return false;
	mountpoint = (const struct dentry *)seen;
	if (!rtrace_read_kernel(&flags, (unsigned long)&mountpoint->d_flags, sizeof(flags)) ||
	    !(flags & DCACHE_MOUNTED))
		return false;
	at->mnt = (unsigned long)&((const struct rtrace_mount *)parent)->mnt;
	at->dentry = seen;
	return true;
}

/* Fills `buf` from its end; the length, or 0 if it cannot be told. */
static s64 rtrace_path(struct rtrace_at at, char *buf, u32 room)
{
	const struct fs_struct *fs = READ_ONCE(current->fs);
	struct rtrace_at root = {};
	u32 left = room, steps;
	bool deleted = false;

	if (fs) {
		root.mnt = (unsigned long)fs->root.mnt;
		root.dentry = (unsigned long)fs->root.dentry;
	}
	for (steps = 0; steps < 256; steps++) {
		const struct dentry *dentry = (const struct dentry *)at.dentry;
		u64 top, parent, name, hash_len;
		u32 length;

		if (at.mnt == root.mnt && at.dentry == root.dentry)
			break;
		if (!rtrace_read_word(&top, &((const struct vfsmount *)at.mnt)->mnt_root))
			return -EFAULT;
		if (at.dentry == top) {
			if (!rtrace_below(&at))
				break;
			continue;
		}
		if (!rtrace_read_word(&parent, &dentry->d_parent) ||
		    !rtrace_read_word(&name, &dentry->d_name.name) ||
		    !rtrace_read_word(&hash_len, &dentry->d_name.hash_len))
			return -EFAULT;
		if (parent == at.dentry) /* of a file system that is nowhere */
			break;
		length = hashlen_len(hash_len);
		/* What does not fit is cut at its beginning. */
		if (length > NAME_MAX || length + 1 > left) {
			deleted = true;
			break;
		}
		left -= length;
		if (!rtrace_read_kernel(buf + left, name, length))
			return -EFAULT;
		buf[--left] = '/';
		at.dentry = parent;
	}
	if (left == room && !deleted && room)
		buf[--left] = '/';
	memmove(buf, buf + left, room - left);
	return room - left;
}

s64 rtrace_path_of(u64 path, char *buf, u32 room)
{
	const struct path *from = (const struct path *)path;
	struct rtrace_at at;

	if (!rtrace_read_word(&at.mnt, &from->mnt) ||
	    !rtrace_read_word(&at.dentry, &from->dentry))
		return -EFAULT;
	return rtrace_path(at, buf, room);
}

s64 rtrace_cwd(char *buf, u32 room)
{
	const struct fs_struct *fs = READ_ONCE(current->fs);

	return fs ? rtrace_path_of((unsigned long)&fs->pwd, buf, room) : 0;
}
