/* SPDX-License-Identifier: GPL-2.0-only */
/* A buffer that is asked for must hold the largest record. */
/* @needs: guest */
/* @stderr: could not enable tracing: Enabling exceeds size of buffer */
#pragma D option bufsize=59

BEGIN { exit(0); }
