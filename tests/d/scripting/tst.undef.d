/* SPDX-License-Identifier: GPL-2.0-only */
/* -U takes a definition away. */
/* @needs: cpp */
/* @options: -C -U linux */
#pragma D option quiet

#ifdef linux
BEGIN { printf("defined\n"); exit(0); }
#else
BEGIN { printf("not defined\n"); exit(0); }
#endif
