/* SPDX-License-Identifier: GPL-2.0-only */
/* A string at an address that is none. */
#pragma D option quiet

BEGIN { printf("%s\n", stringof((char *)0x30)); }
ERROR { printf("%x\n", arg5); exit(0); }
