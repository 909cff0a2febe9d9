/* SPDX-License-Identifier: GPL-2.0-only */
/* No stack has so many frames (kernel.perf_event_max_stack). */
/* @needs: guest */
#pragma D option ustackframes=1000000

BEGIN { exit(0); }
