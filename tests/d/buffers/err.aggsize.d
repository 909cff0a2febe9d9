/* SPDX-License-Identifier: GPL-2.0-only */
/* Aggregations must have room for one entry. */
/* @needs: guest */
/* @stderr: could not enable tracing: Enabling exceeds size of buffer */
#pragma D option aggsize=8

BEGIN { @ = count(); exit(0); }
