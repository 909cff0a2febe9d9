/* SPDX-License-Identifier: GPL-2.0-only */
/* No function returns what we say. */

BEGIN { return(0); }
