/* SPDX-License-Identifier: GPL-2.0-only */
/* A translation has no address. */

BEGIN { trace(&curpsinfo); }
