/* SPDX-License-Identifier: GPL-2.0-only */
/* flowindent has headings of its own. */
/* @options: -F */

BEGIN { trace(1); exit(0); }
