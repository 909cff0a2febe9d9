/* SPDX-License-Identifier: GPL-2.0-only */
/* The root directory of the process. */

inline string root = d_path(&curthread->fs->root);
