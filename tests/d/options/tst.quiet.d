/* SPDX-License-Identifier: GPL-2.0-only */
/* quiet as a pragma. */
#pragma D option quiet

BEGIN { trace(5); exit(0); }
