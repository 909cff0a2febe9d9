/* SPDX-License-Identifier: GPL-2.0-only */
/* profile fires on every CPU. */
/* @needs: guest */
#pragma D option quiet

BEGIN { @ = count(); clear(@); }
profile-50hz { @ = count(); n++; }
tick-200ms /n > 2/ { printf("enough\n"); exit(0); }
