/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of the program. */
/* @needs: guest */
/* @options: -c true */
#pragma D option quiet

END { usym(0); ufunc(0); umod(0); uaddr(0); }
