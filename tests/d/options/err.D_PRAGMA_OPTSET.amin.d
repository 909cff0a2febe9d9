/* SPDX-License-Identifier: GPL-2.0-only */
/* These are no attributes. */
/* @needs: guest */
#pragma D option amin=Evolving

BEGIN { exit(0); }
