/* SPDX-License-Identifier: GPL-2.0-only */
/* A description has four fields at most. */

a:b:c:d:e
{
	exit(0);
}
