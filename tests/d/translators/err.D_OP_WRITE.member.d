/* SPDX-License-Identifier: GPL-2.0-only */
/* A translation is read only. */

BEGIN { curpsinfo->pr_pid = 1; }
