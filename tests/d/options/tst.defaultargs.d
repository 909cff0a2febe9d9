/* SPDX-License-Identifier: GPL-2.0-only */
/* defaultargs gives arguments that are not there. */
#pragma D option quiet

#pragma D option defaultargs
BEGIN { printf("%d '%s'\n", $1, $$2); exit(0); }
