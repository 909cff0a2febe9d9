#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Times a tracepoint of LTTng-UST with LTTng's own daemons; in the toolchain root, with the host's /sys and LTTng at /mnt
# (scripts/lab/peers).
set -eu
libraries=/mnt/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$libraries PATH="/mnt/bin:$PATH" HOME=/tmp LTTNG_HOME=/tmp LTTNG_UST_REGISTER_TIMEOUT=-1
export LTTNG_SESSION_CONFIG_XSD_PATH=/mnt/xml/lttng

gcc -O2 -Wall -I. -I/mnt/include -I/mnt/include/x86_64-linux-gnu -o /tmp/ust ust.c -L"$libraries" \
	-Wl,-rpath-link,"$libraries" -llttng-ust -ldl
lttng-sessiond --daemonize --no-kernel --consumerd64-path="$libraries/lttng/libexec/lttng-consumerd" \
	--consumerd64-libdir="$libraries" >&2
{
	# As a flight recorder: the old is overwritten, so nothing is dropped, and the consumer has no work meanwhile.
	lttng create bench --snapshot --output=/tmp/trace
	lttng enable-channel --userspace --subbuf-size=1M --num-subbuf=4 bench
	lttng enable-event --userspace --channel=bench rt_bench:entry
	lttng start
} >&2
/tmp/ust
lttng destroy bench >&2
