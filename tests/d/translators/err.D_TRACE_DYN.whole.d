/* SPDX-License-Identifier: GPL-2.0-only */
/* A translation has no value as a whole. */

BEGIN { trace(curpsinfo); }
