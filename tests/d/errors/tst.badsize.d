/* SPDX-License-Identifier: GPL-2.0-only */
/* More than scratchsize, or than is there, is an invalid size; arg5 of ERROR has it. What begins beyond what is there is an
 * invalid address. */
/* @stderr: invalid size (0x41) in action #2 */
#pragma D option quiet
#pragma D option scratchsize=64

int size;

BEGIN { bcopy("bad news", alloca(1), -1); }
BEGIN { size = 65; copyin(0, size); }
BEGIN { p = alloca(64); copyinto(0, 65, p); }
BEGIN { d = alloca(20); s = alloca(10); bcopy(s, d, 20); }
BEGIN { s = alloca(9); a = "0123456789abcdefgh"; bcopy(a, s, 17); }
BEGIN { c = (char *)alloca(10); trace(*(int *)(c + 14)); }
BEGIN { c = (char *)alloca(10); *(int *)(c + 8) = 1; }
BEGIN { c = (char *)alloca(8); trace(*(c + 8) == 0); }
BEGIN { d = alloca(8); bcopy(NULL, d, 9); }
ERROR { printf("%d", arg4); }
ERROR /arg4 == DTRACEFLT_BADSIZE/ { printf(" %x", arg5); }
ERROR { printf("\n"); }
BEGIN { exit(0); }
