/* SPDX-License-Identifier: GPL-2.0-only */
/* A program of comments only. */

/* nothing else */
