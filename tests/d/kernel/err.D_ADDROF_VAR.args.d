/* SPDX-License-Identifier: GPL-2.0-only */
/* Arguments have no address. */
/* @needs: btf */

write:entry
{
	trace(&args[0]);
}
