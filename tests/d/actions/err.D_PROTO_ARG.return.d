/* SPDX-License-Identifier: GPL-2.0-only */
/* return() takes a number. */

BEGIN { return("0"); }
