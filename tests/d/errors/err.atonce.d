/* SPDX-License-Identifier: GPL-2.0-only */
/* ERROR runs at the fault, and its exit() ends the firing. */
BEGIN { trace(*(int *)0); }
BEGIN { exit(0); }
ERROR { exit(1); }
