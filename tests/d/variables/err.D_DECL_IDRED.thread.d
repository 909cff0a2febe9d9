/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable keeps its type. */

self int x;
self char x;
BEGIN
{
	exit(0);
}
