/* SPDX-License-Identifier: GPL-2.0-only */
/* argref lets arguments be unused. */
/* @arguments: 1 2 3 */
#pragma D option quiet

#pragma D option argref
BEGIN { printf("%d\n", $1); exit(0); }
