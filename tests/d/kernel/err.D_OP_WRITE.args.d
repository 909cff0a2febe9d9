/* SPDX-License-Identifier: GPL-2.0-only */
/* Arguments are read only. */
/* @needs: btf */

write:entry
{
	args[0] = 1;
}
