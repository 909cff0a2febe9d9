/* SPDX-License-Identifier: GPL-2.0-only */
/* Variables of the kernel whose types D knows, though BTF does not. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	printf("%d ", ((struct task_struct *)&`init_task)->pid);
	printf("%d ", `cad_pid != NULL);
	printf("%d ", &`cgrp_dfl_root.cgrp == &vmlinux`cgrp_dfl_root.cgrp);
	printf("%d ", mutex_owned(&`cgroup_mutex));
	/* Somebody may be about to have a child. */
	printf("%d\n", rw_write_held(&`tasklist_lock) >= 0);
	exit(0);
}
