/* SPDX-License-Identifier: GPL-2.0-only */
/* A structure that dtrace makes up is not printed whole. */

BEGIN
{
	printf("%p", curlwpsinfo);
	exit(0);
}
