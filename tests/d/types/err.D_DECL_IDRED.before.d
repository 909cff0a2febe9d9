/* SPDX-License-Identifier: GPL-2.0-only */
/* A declaration is worked off when it has been read: before what is no D behind it. */
int x;
char x;

BEGIN { x = ; }
