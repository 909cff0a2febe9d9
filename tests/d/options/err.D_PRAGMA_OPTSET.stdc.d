/* SPDX-License-Identifier: GPL-2.0-only */
/* The preprocessor is done when a program's options are read. */
/* @needs: guest */

#pragma D option stdc=t

BEGIN { exit(0); }
