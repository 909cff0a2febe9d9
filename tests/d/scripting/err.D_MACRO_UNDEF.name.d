/* SPDX-License-Identifier: GPL-2.0-only */
/* A macro variable that is none. */

BEGIN
{
	trace($nonsense);
	exit(0);
}
