/* SPDX-License-Identifier: GPL-2.0-only */
/* The default action shows CPU, number and name of the probe. */

BEGIN { }
BEGIN { exit(0); }
END { }
