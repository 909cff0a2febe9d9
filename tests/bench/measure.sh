# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What `make bench` runs in the guest; sourced by the plan that scripts/bench writes, which then calls, in this order:
#   begin BATCH THREADS
#   on NAME NUMBER ARGUMENT           the kernel function that is traced from now on, and the system call that calls it
#   around ROW COMMAND                COMMAND arms, runs the program $CALLS once it has, and disarms
#   every ROW COMMAND                 the same, and says how many traced functions each of the calls enters
#   armed ROW ARM DISARM              the same by two commands, with $CALLS in between
# Commands may use $FUNCTION, $TRACED (what ftrace calls it), $TYPED (what BTF calls it), $CALLS and $TRACING (tracefs),
# and put what they say besides on $SAID.
#
# Prints a line for each row: row ROW FUNCTION ASKED, the six numbers of calls.c, OVER. ASKED is when the arming began,
# OVER when the disarming ended. Or: failed ROW FUNCTION WHY. Lines of `note` tell what was lost meanwhile, such of
# `entered ROW FUNCTION COUNT` what `every` says.
PROGRAM=/usr/lib/rt-bench/calls
TRACING=/sys/kernel/tracing
SAID=/tmp/said
export BPFTRACE_MAX_PROBES=100000

begin() {
	echo "kernel $(uname -r)"
	BATCH=$1 THREADS=$2
	udevadm settle
}

on() {
	# Each function finds the kernel without the module.
	modprobe -rq rust_tracer || true
	FUNCTION=$1
	CALLS="$PROGRAM $2 $3 $BATCH $THREADS"
	# Several names may be one function. ftrace knows it by one of them, and BTF by one or none.
	aliases=$(awk -v name="$FUNCTION" 'NF == 3 { names[$1] = names[$1] " " $3; if ($3 == name) at = $1 }
		END { print names[at] }' /proc/kallsyms)
	TRACED=$FUNCTION TYPED=$FUNCTION
	# shellcheck disable=SC2086 # a word for each name
	set -- $aliases
	[ $# -gt 1 ] || return 0
	for name; do
		if grep -qx "$name" "$TRACING/available_filter_functions"; then TRACED=$name; fi
	done
	typed=$(bpftrace -l "fentry:vmlinux:*${FUNCTION#__x64}" 2>/dev/null)
	for name; do
		case "$typed " in *:"$name"[!a-z0-9_]*) TYPED=$name ;; esac
	done
}

failed() { # ROW: why is the last thing that was said
	echo "failed $1 $FUNCTION $(grep -v '^ *$' "$SAID" | tail -n 1 | cut -c1-200)"
}

report() { # ROW ASKED NUMBERS OVER
	# shellcheck disable=SC2086 # six numbers, if it went well
	set -- "$1" "$2" "$4" $3
	if [ $# != 9 ]; then
		failed "$1"
		return
	fi
	row=$1 asked=$2 over=$3
	shift 3
	echo "row $row $FUNCTION $asked $* $over"
	grep -Ei 'dropped [1-9]|[0-9] drops|lost [1-9]' "$SAID" | tail -n 1 | sed "s/^/note $row $FUNCTION /"
}

around() { # ROW COMMAND
	: >"$SAID"
	asked=$("$PROGRAM" now)
	numbers=$(eval "$2" 2>>"$SAID") || numbers=
	report "$1" "$asked" "$numbers" "$("$PROGRAM" now)"
}

every() { # ROW COMMAND
	around "$1" "$2"
	# Entries by the program, by function; those as frequent as the function itself are entered by each call.
	counts=$(rtctl -q -n 'fbt:::entry /pid == $target/ { @[probefunc] = count(); }' -c "$CALLS" 2>/dev/null)
	echo "$counts" | awk -v row="$1" -v of="$FUNCTION" 'NF == 2 { count[$1] = $2 }
		END { for (name in count) all += int(count[name] / count[of]); print "entered", row, of, all }'
}

armed() { # ROW ARM DISARM
	: >"$SAID"
	asked=$("$PROGRAM" now)
	if eval "$2" >>"$SAID" 2>&1; then numbers=$($CALLS); else numbers=; fi
	eval "$3" >>"$SAID" 2>&1 || numbers=
	report "$1" "$asked" "$numbers" "$("$PROGRAM" now)"
}
