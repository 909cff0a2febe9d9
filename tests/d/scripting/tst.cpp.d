/* SPDX-License-Identifier: GPL-2.0-only */
/* -C goes through the preprocessor. */
/* @needs: cpp */
/* @options: -C */
#pragma D option quiet

#define ANSWER 42
#if ANSWER > 40
#define WORD "large"
#else
#define WORD "small"
#endif
BEGIN { printf("%d %s\n", ANSWER, WORD); exit(0); }
