#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The demonstration that `make demo` runs in the guest: traces a workload (workload.sh) through rust_tracer, prints what
# its files, processes and connections cost in the kernel, and shows what the same trace looks like as rtctl prints it.
set -eu
here=$(dirname -- "$0")
cd /tmp

files="do_sys_openat2 vfs_open vfs_read vfs_write vfs_unlink"
scheduler="wake_up_new_task try_to_wake_up"
network="tcp_v4_connect inet_csk_accept tcp_sendmsg tcp_recvmsg tcp_close"

modprobe rust_tracer
ip link set lo up 2>/dev/null || true # the guest's network is its loopback

echo "rust_tracer on Linux $(uname -r), $(nproc) CPUs, $(rtctl -l -P fbt | grep -c . | awk '{ print $1 - 1 }') probes to choose from"
echo
echo "1. What did a workload's files, processes and connections cost in the kernel?"
echo
probes=
for function in $files $scheduler $network; do
	probes="$probes -f vmlinux:$function"
done
echo "   # rtctl --target-only --format json -o trace.json -c 'sh workload.sh' -f vmlinux:vfs_open -f …"
# shellcheck disable=SC2086 # one word for each function
rtctl --target-only --format json -o trace.json -b 16m -c "sh $here/workload.sh" $probes 2>messages.txt || {
	cat messages.txt >&2
	exit 1
}
perl "$here/summary.pl" trace.json "Files:$files" "Scheduler:$scheduler" "TCP:$network"

echo
echo "2. The same as it happens: every call of vfs_read by cat, with its arguments, value and time."
echo
echo "   # rtctl -v --target-only -c 'cat /etc/hostname' -n fbt::vfs_read:entry -n fbt::vfs_read:return"
rtctl -v --target-only -o reads.txt -c 'cat /etc/hostname' -n fbt::vfs_read:entry -n fbt::vfs_read:return >/dev/null 2>&1
sed -n 1,9p reads.txt
echo "   …"
echo
echo "3. Who calls whom: one tcp_sendmsg over loopback, and the softirq that receives it on the way."
echo
echo "   # rtctl -F --target-only -c 'perl tcp.pl 1' -f tcp_sendmsg -f tcp_sendmsg_locked -f ip_queue_xmit -f …"
rtctl -q -F --target-only -o flow.txt -c "perl $here/tcp.pl 1" -f vmlinux:tcp_sendmsg -f vmlinux:tcp_sendmsg_locked \
	-f vmlinux:__tcp_push_pending_frames -f vmlinux:ip_queue_xmit -f vmlinux:ip_output -f vmlinux:dev_hard_start_xmit \
	-f vmlinux:loopback_xmit -f vmlinux:tcp_v4_rcv
# From the first tcp_sendmsg to its return.
awk 'NR == 1 { print } /-> tcp_sendmsg *$/ { on = 1 } on { print } /<- tcp_sendmsg *$/ { exit }' flow.txt
echo
echo "4. Nothing was lost unseen: rtctl's last words on the trace of part 1 account for every firing of every probe."
echo
sed -n 's/^rtctl: \(fired\|entered\)/   \1/p' messages.txt
grep -q '"kind":"ledger",.*"holds":true' trace.json
