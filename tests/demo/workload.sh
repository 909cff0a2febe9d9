#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the demonstration traces: files on tmpfs, short processes, and a TCP server with a client on loopback.
set -eu
here=$(dirname -- "$0")
dir=$(mktemp -d /tmp/demo.XXXXXX)

i=0
while [ $i -lt 10 ]; do
	seq 1 2000 >"$dir/file$i"
	cp "$dir/file$i" "$dir/copy$i"
	cat "$dir/copy$i" >/dev/null
	i=$((i + 1))
done
find "$dir" -type f | wc -l >/dev/null
cat "$dir/no such file" 2>/dev/null || true
rm -r "$dir"

perl "$here/tcp.pl" 100
