/* SPDX-License-Identifier: GPL-2.0-only */
/* There is no such CPU. */
/* @needs: guest */
/* @options: -x cpu=1000 */
/* @stderr: there is no CPU 1000 */

BEGIN { exit(0); }
