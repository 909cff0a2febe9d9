#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `rtctl check --watch` costs, in instructions:
#   scripts/vm run --icount --timeout 1500 --put tests/bench/watch.sh -- bash /root/watch.sh
# There a nanosecond is an instruction, and the clock jumps over what is idle.
set -eu

# Nanoseconds for which the threads of a process have run.
ran() {
	local sum=0 each
	for task in /proc/"$1"/task/*/schedstat; do
		read -r each _ <"$task"
		sum=$((sum + each))
	done
	echo "$sum"
}

load() {
	for _ in $(seq 60); do /bin/true; done
	find /sys/kernel /sys/module /proc/sys >/dev/null 2>&1 || true
	cat /proc/kallsyms >/dev/null
}

# Loads the machine so often, and says what that took, in all and by process $2.
measure() {
	local begun watched
	begun=$(date +%s%N) watched=$(ran "$2")
	for _ in $(seq "$1"); do load; done
	echo "$1 loads: $(($(date +%s%N) - begun)) instructions, of them $3 $(($(ran "$2") - watched))"
}

modprobe rust_tracer
load
measure 6 $$ 'this shell'
mkfifo said
rtctl check --watch >said &
watch=$!
exec 3<said
# The last line of its first look.
until [[ ${line-} == *canary* ]]; do read -r line <&3; done
begun=$(date +%s%N) watched=$(ran "$watch")
# Nothing is found meanwhile: what is counted is a minute's looks.
! read -r -t 60 line <&3 || echo "found: $line"
echo "idle: rtctl ran for $(($(ran "$watch") - watched)) instructions in $(($(date +%s%N) - begun)) ns"
for _ in 1 2; do measure 6 "$watch" rtctl; done
kill -INT "$watch"
wait "$watch" || echo "rtctl check ended with $?"
