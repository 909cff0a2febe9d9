/* SPDX-License-Identifier: GPL-2.0-only */
/* What -w allows is told. */
/* @options: -w */
/* @stderr: allowing destructive actions */
BEGIN
{
	exit(0);
}
