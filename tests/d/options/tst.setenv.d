/* SPDX-License-Identifier: GPL-2.0-only */
/* setenv and unsetenv are about the environment of the command. */
/* @needs: guest */
/* @options: -x setenv=WORD=set -x setenv=GONE=1 -x unsetenv=GONE -c 'sh -c "exit ${WORD:+3}${GONE:+4}"' */
/* @stderr: exited with status 3 */

BEGIN { printf("on\n"); }
