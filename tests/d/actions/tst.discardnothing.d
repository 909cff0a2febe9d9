/* SPDX-License-Identifier: GPL-2.0-only */
/* discard() and commit() of what is not active do nothing. */
#pragma D option quiet

BEGIN { discard(0); }
BEGIN { commit(0); }
BEGIN { printf("on\n"); exit(0); }
