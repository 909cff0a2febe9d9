/* SPDX-License-Identifier: GPL-2.0-only */
/* Linux does not keep a process's size where D can read it. */

BEGIN { trace(curpsinfo->pr_size); }
