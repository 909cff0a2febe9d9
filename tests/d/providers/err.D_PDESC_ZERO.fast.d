/* SPDX-License-Identifier: GPL-2.0-only */
/* No timer fires more often than every 200 us. */
/* @needs: guest */
tick-199us { exit(0); }
