/* SPDX-License-Identifier: GPL-2.0-only */
/* With -Z a program whose probes are not there runs, and so does its command. */
/* @needs: guest */
/* @options: -q -Z -c 'echo ran' */

nosuch:::probe { printf("fired\n"); }
fbt::no_such_function:entry { @[0] = count(); }
