/* SPDX-License-Identifier: GPL-2.0-only */
/* rawbytes shows strings as memory, with their NUL. */
#pragma D option quiet

#pragma D option rawbytes
#pragma D option strsize=15
BEGIN { trace("ab"); exit(0); }
