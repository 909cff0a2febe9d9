/* SPDX-License-Identifier: GPL-2.0-only */
/* What a translator makes must be known. */

translator struct nowhere < int i > { };
BEGIN { exit(0); }
