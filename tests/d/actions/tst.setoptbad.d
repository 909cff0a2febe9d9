/* SPDX-License-Identifier: GPL-2.0-only */
/* An option that is none is told. */
/* @needs: guest */
/* @stderr: couldn't set option "nonsense" to "1": Invalid option name */
#pragma D option quiet

BEGIN { setopt("nonsense"); printf("on\n"); exit(0); }
