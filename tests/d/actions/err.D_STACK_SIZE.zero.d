/* SPDX-License-Identifier: GPL-2.0-only */
/* A stack has frames. */

BEGIN
{
	stack(0);
	exit(0);
}
