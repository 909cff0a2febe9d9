/* SPDX-License-Identifier: GPL-2.0-only */
/* BEGIN and END fire in the tool. */
#pragma D option quiet

BEGIN { printf("%s\n", execname); exit(0); }
END { printf("%s\n", execname); }
