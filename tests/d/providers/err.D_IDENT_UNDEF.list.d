/* SPDX-License-Identifier: GPL-2.0-only */
/* What is listed is compiled before. */
/* @options: -l */
BEGIN
{
	trace(nobody_assigns_it);
}
