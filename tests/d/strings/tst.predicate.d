/* SPDX-License-Identifier: GPL-2.0-only */
/* A string in a predicate. */
#pragma D option quiet

BEGIN { s = "yes"; }
BEGIN /s == "yes"/ { printf("taken\n"); }
BEGIN /s != "yes"/ { printf("not taken\n"); }
BEGIN { exit(0); }
