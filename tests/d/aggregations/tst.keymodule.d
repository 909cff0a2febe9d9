/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of one module, function or symbol of the kernel are one key, which is shown by name. */
/* @needs: guest */
#pragma D option quiet

BEGIN
{
	@mod[mod((uintptr_t)&`vfs_read)] = count();
	@mod[mod((uintptr_t)&`vfs_write)] = count();
	@func[func((uintptr_t)&`vfs_read)] = count();
	@func[func((uintptr_t)&`vfs_read + 1)] = count();
	@sym[sym((uintptr_t)&`vfs_read)] = count();
	@sym[sym((uintptr_t)&`vfs_read + 1)] = count();
	printa("%a %@d\n", @mod);
	printa("%a %@d\n", @func);
	printa("%a %@d\n", @sym);
	printa(@mod);
	exit(0);
}
