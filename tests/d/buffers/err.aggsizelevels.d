/* SPDX-License-Identifier: GPL-2.0-only */
/* Aggregations must have room for an entry of each. */
/* @needs: guest */
/* @stderr: could not enable tracing: Enabling exceeds size of buffer */
#pragma D option aggsize=64k

BEGIN { @small = count(); @large = lquantize(1, 0, 32767); exit(0); }
