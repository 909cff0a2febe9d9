/* SPDX-License-Identifier: GPL-2.0-only */
/* A translator makes structs and unions. */

translator int < int i > { };
BEGIN { exit(0); }
