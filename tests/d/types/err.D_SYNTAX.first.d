/* SPDX-License-Identifier: GPL-2.0-only */
/* What comes first is told. */
BEGIN { x = ; }

register int x;
