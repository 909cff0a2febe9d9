/* SPDX-License-Identifier: GPL-2.0-only */
/* -D defines. */
/* @needs: cpp */
/* @options: -C -D NUMBER=7 */
#pragma D option quiet

BEGIN { printf("%d\n", NUMBER); exit(0); }
