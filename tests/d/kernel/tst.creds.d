/* SPDX-License-Identifier: GPL-2.0-only */
/* Structs behind pointers. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", curthread->cred->uid.val == uid, curthread->cred->gid.val == gid);
	exit(0);
}
