/* SPDX-License-Identifier: GPL-2.0-only */
/* alloca() of more than there is. */
/* @stderr: out of scratch space */
#pragma D option quiet

BEGIN { n = 1000000; }
BEGIN { this->p = (char *)alloca(n); }
ERROR { printf("%d\n", arg4 == DTRACEFLT_NOSCRATCH); exit(0); }
