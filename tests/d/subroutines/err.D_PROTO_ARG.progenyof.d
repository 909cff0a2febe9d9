/* SPDX-License-Identifier: GPL-2.0-only */
/* A process has a number. */

BEGIN
{
	trace(progenyof("init"));
	exit(0);
}
