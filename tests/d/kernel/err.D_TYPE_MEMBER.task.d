/* SPDX-License-Identifier: GPL-2.0-only */
/* A member that a task does not have. */
/* @needs: btf */

BEGIN
{
	trace(curthread->no_such_member);
	exit(0);
}
