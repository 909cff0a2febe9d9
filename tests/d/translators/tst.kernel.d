/* SPDX-License-Identifier: GPL-2.0-only */
/* All that curpsinfo, curlwpsinfo, fds[] and root have on Linux. */
/* @needs: btf */

#pragma D option quiet

inline lwpsinfo_t *lwp = xlate <lwpsinfo_t *> (curthread);

BEGIN
{
	printf("%d %d %d %d %d %d\n", curpsinfo->pr_nlwp, curpsinfo->pr_pid, curpsinfo->pr_ppid,
	    curpsinfo->pr_pgid, curpsinfo->pr_sid, curpsinfo->pr_uid);
	printf("%d %d %d %x %p\n", curpsinfo->pr_euid, curpsinfo->pr_gid, curpsinfo->pr_egid,
	    curpsinfo->pr_addr, curpsinfo->pr_ttydev);
	printf("%s %s %d %x %d\n", curpsinfo->pr_fname, curpsinfo->pr_psargs,
	    curpsinfo->pr_wstat, curpsinfo->pr_argv, curpsinfo->pr_dmodel);
	printf("%d %d\n", curpsinfo->pr_argc > 0,
	    (curpsinfo->pr_envp - curpsinfo->pr_argv) / 8 == curpsinfo->pr_argc + 1);
	printf("%d %d %d %d %d %d\n", curpsinfo->pr_taskid, curpsinfo->pr_projid,
	    curpsinfo->pr_nzomb, curpsinfo->pr_poolid, curpsinfo->pr_zoneid,
	    curpsinfo->pr_contract);
	printf("%d %d %x %d %c %d %s %d\n", curlwpsinfo->pr_flag, curlwpsinfo->pr_lwpid,
	    curlwpsinfo->pr_addr, curlwpsinfo->pr_state, curlwpsinfo->pr_sname,
	    curlwpsinfo->pr_pri, curlwpsinfo->pr_name, curlwpsinfo->pr_onpro);
	printf("%d %s\n", lwp->pr_state, stringof(lwp->pr_name));
	printf("%s %s\n", xlate <psinfo_t> (curthread->parent).pr_fname, root);
	info = xlate <lwpsinfo_t> (curthread);
	exit(0);
}

syscall::write:entry
/fds[arg0].fi_pathname != "<none>"/
{
	printf("%s %s %s %d %s %s %x\n", fds[arg0].fi_name, fds[arg0].fi_dirname,
	    fds[arg0].fi_pathname, fds[arg0].fi_offset, fds[arg0].fi_fs, fds[arg0].fi_mount,
	    fds[arg0].fi_oflags);
}

ERROR
{
	exit(1);
}
