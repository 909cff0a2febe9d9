/* SPDX-License-Identifier: GPL-2.0-only */
/* The status may be computed. */
/* @status: 5 */
#pragma D option quiet

BEGIN { x = 2; exit(x + 3); }
