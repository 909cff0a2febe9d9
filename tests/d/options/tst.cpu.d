/* SPDX-License-Identifier: GPL-2.0-only */
/* All that fires on one CPU: BEGIN, ticks, profiles, END. */
/* @needs: guest */
/* @options: -x cpu=1 */
#pragma D option quiet

BEGIN { printf("%s %d\n", probename, cpu); }
tick-10ms { ticks++; }
profile-10ms { profiles++; }
tick-10ms /ticks > 2 && profiles > 2/ { exit(0); }
END { printf("%s %d\n", probename, cpu); }
