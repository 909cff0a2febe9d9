/* SPDX-License-Identifier: GPL-2.0-only */
/* return() takes what the function is to return. */

BEGIN { return(); }
