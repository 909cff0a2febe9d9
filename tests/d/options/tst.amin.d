/* SPDX-License-Identifier: GPL-2.0-only */
/* What is there at least is enough. */
#pragma D option quiet
#pragma D option amin=Unstable/Unstable/Common

BEGIN { printf("%s\n", "enough"); exit(0); }
