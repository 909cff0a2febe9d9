/* SPDX-License-Identifier: GPL-2.0-only */
/* $0 is the script. */
#pragma D option quiet

BEGIN { printf("%s\n", basename($$0)); exit(0); }
