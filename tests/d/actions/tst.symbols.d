/* SPDX-License-Identifier: GPL-2.0-only */
/* sym(), func() and mod() of a kernel address. */
/* @needs: guest */
#pragma D option quiet

BEGIN
{
	printf("%a|", (uint64_t)&`vfs_read);
	sym((uintptr_t)&`vfs_read);
	printf("|");
	func((uintptr_t)&`vfs_read);
	printf("|");
	mod((uintptr_t)&`vfs_read);
	exit(0);
}
