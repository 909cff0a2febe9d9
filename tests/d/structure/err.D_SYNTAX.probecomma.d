/* SPDX-License-Identifier: GPL-2.0-only */
/* After a comma comes another description. */

BEGIN,
{
	exit(0);
}
