/* SPDX-License-Identifier: GPL-2.0-only */
/* setopt() sets an option from then on. */
/* @needs: guest */
#pragma D option quiet

BEGIN { printf("one\n"); setopt("quiet", "no"); }
BEGIN { setopt("quiet"); exit(0); }
