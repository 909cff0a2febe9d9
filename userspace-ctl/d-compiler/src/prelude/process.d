/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes and threads as proc(5) of Solaris describes them: curpsinfo and curlwpsinfo. What Linux
 * has no like of is 0; what it does not keep where D can read it has no conversion.
 * include/linux/sched.h, include/linux/sched/signal.h
 */

typedef id_t dprojid_t;
typedef id_t poolid_t;

typedef struct {
	long tv_sec;
	long tv_nsec;
} timestruc_t;

typedef struct {
	int pr_flag;
	int pr_lwpid;
	uintptr_t pr_addr;
	uintptr_t pr_wchan;
	char pr_stype;
	char pr_state;
	char pr_sname;
	char pr_nice;
	short pr_syscall;
	char pr_oldpri;
	char pr_cpu;
	int pr_pri;
	ushort_t pr_pctcpu;
	timestruc_t pr_start;
	timestruc_t pr_time;
	char pr_clname[8];
	char pr_name[16];
	processorid_t pr_onpro;
	processorid_t pr_bindpro;
	psetid_t pr_bindpset;
	lgrp_id_t pr_lgrp;
} lwpsinfo_t;

typedef struct {
	int pr_flag;
	int pr_nlwp;
	pid_t pr_pid;
	pid_t pr_ppid;
	pid_t pr_pgid;
	pid_t pr_sid;
	uid_t pr_uid;
	uid_t pr_euid;
	gid_t pr_gid;
	gid_t pr_egid;
	uintptr_t pr_addr;
	size_t pr_size;
	size_t pr_rssize;
	struct tty_struct *pr_ttydev;
	ushort_t pr_pctcpu;
	ushort_t pr_pctmem;
	timestruc_t pr_start;
	timestruc_t pr_time;
	timestruc_t pr_ctime;
	char pr_fname[16];
	char pr_psargs[80];
	int pr_wstat;
	int pr_argc;
	uintptr_t pr_argv;
	uintptr_t pr_envp;
	char pr_dmodel;
	taskid_t pr_taskid;
	dprojid_t pr_projid;
	int pr_nzomb;
	poolid_t pr_poolid;
	zoneid_t pr_zoneid;
	id_t pr_contract;
	lwpsinfo_t pr_lwp;
} psinfo_t;

/* States are the bits of TASK_* and EXIT_*, the lowest one that is set says most. */
translator lwpsinfo_t < struct task_struct *T > {
	pr_flag = T->__state & 0x4 ? PR_STOPPED : 0;
	pr_lwpid = T->pid;
	pr_addr = (uintptr_t)T;
	pr_wchan = 0;
	pr_stype = 0;
	pr_state =
	    T->exit_state != 0 || T->__state & 0x80 ? SZOMB :
	    T->__state & 0x3 ? SSLEEP :
	    T->__state & 0xc ? SSTOP :
	    T->__state & 0x300 ? SWAIT : SRUN;
	pr_sname =
	    T->exit_state != 0 || T->__state & 0x80 ? 'Z' :
	    T->__state & 0x3 ? 'S' :
	    T->__state & 0xc ? 'T' :
	    T->__state & 0x300 ? 'W' : 'R';
	pr_pri = T->prio;
	pr_name = T->comm;
	pr_onpro = T->thread_info.cpu;
};

/*
 * The number of arguments lies where the stack of the process began, the vectors behind it: only
 * those of the firing's own process can be read, and its arguments. A thread of the kernel has none.
 */
translator psinfo_t < struct task_struct *T > {
	pr_nlwp = T->signal->nr_threads;
	pr_pid = T->tgid;
	pr_ppid = T->real_parent->tgid;
	pr_pgid = T->signal->pids[PIDTYPE_PGID]->numbers[0].nr;
	pr_sid = T->signal->pids[PIDTYPE_SID]->numbers[0].nr;
	pr_uid = T->cred->uid.val;
	pr_euid = T->cred->euid.val;
	pr_gid = T->cred->gid.val;
	pr_egid = T->cred->egid.val;
	pr_addr = (uintptr_t)T;
	pr_ttydev = T->signal->tty != NULL ? T->signal->tty : (struct tty_struct *)-1;
	pr_fname = T->comm;
	pr_psargs = T == curthread ? execargs : stringof(T->comm);
	pr_wstat = 0;
	pr_argc = T->mm != NULL && T->mm == curthread->mm ?
	    *(int *)copyin(T->mm->start_stack, sizeof (int)) : 0;
	pr_argv = T->mm != NULL ? T->mm->start_stack + sizeof (long) : 0;
	pr_envp = T->mm != NULL && T->mm == curthread->mm ?
	    T->mm->start_stack + (2 + *(int *)copyin(T->mm->start_stack, sizeof (int))) * sizeof (long) : 0;
	pr_dmodel = PR_MODEL_LP64;
	pr_taskid = 0;
	pr_projid = 0;
	pr_nzomb = 0;
	pr_poolid = 0;
	pr_zoneid = 0;
	pr_contract = 0;
};
