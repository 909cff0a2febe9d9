/* SPDX-License-Identifier: GPL-2.0-only */
/* What may not become smaller is refused. */
/* @needs: guest */
/* @stderr: could not enable tracing */
#pragma D option bufresize=manual
#pragma D option bufsize=100t

BEGIN { @ = count(); exit(0); }
