/* SPDX-License-Identifier: GPL-2.0-only */
/* rawbytes shows strings as memory. */
#pragma D option quiet

#pragma D option rawbytes
#pragma D option strsize=16
BEGIN { trace("ab"); exit(0); }
