/* SPDX-License-Identifier: GPL-2.0-only */
/* Open files: fds[n] is file n of the process, "<none>" if it has none. include/linux/fs.h */

typedef long offset_t;

typedef struct {
	char fi_name[256];
	char fi_dirname[1024];
	char fi_pathname[1024];
	offset_t fi_offset;
	char fi_fs[32];
	char fi_mount[1024];
	int fi_oflags;
} fileinfo_t;

translator fileinfo_t < struct file *F > {
	fi_name = F == NULL ? "<none>" : stringof(F->f_path.dentry->d_name.name);
	fi_dirname = F == NULL ? "<none>" : dirname(d_path(&F->f_path));
	fi_pathname = F == NULL ? "<none>" : d_path(&F->f_path);
	fi_offset = F == NULL ? 0 : F->f_pos;
	fi_fs = F == NULL ? "<none>" : stringof(F->f_inode->i_sb->s_type->name);
	fi_mount = "<unknown>";
	fi_oflags = F == NULL ? 0 : F->f_flags;
};

/* What getf() is: NULL if there is no such file. */
inline struct file *__getf[int fd] =
	fd >= 0 && fd < curthread->files->fdt->max_fds ?
	    curthread->files->fdt->fd[fd] : (struct file *)NULL;

inline fileinfo_t fds[int fd] = xlate <fileinfo_t> (__getf[fd]);
