# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The lab's cache; sourced by the scripts beside it.
#
# A part (toolchain root, kernel, guest, …) is a directory $CACHE/NAME/KEY. KEY is a hash of everything the part was
# made from, so a part is either right or absent. It is made under a temporary name by one process at a time and
# renamed when whole; what an interrupted run left is swept away by the next one.
set -euo pipefail
# What goes into the guest is read there by others than root.
umask 022

LAB=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd -- "$LAB/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-${HOME:?HOME is not set: say where the cache goes with XDG_CACHE_HOME}/.cache}/rust_tracer
export LAB TOP CACHE

# The status of a builder that has said itself what is wrong.
SAID=3

say() { printf 'lab: %s\n' "$*" >&2; }
die() {
	printf 'lab: error: %s\n' "$*" >&2
	exit 1
}

need_root() {
	[ "$(id -u)" = 0 ] || die "the lab makes a root file system and needs root: run this with sudo or as root"
}

# key WORD-OR-FILE…: a short hash of the words and of the contents of the files among them.
key() {
	local a
	for a in "$@"; do
		if [ -f "$a" ]; then cat -- "$a"; else printf '%s\n' "$a"; fi
	done | sha256sum | cut -c1-12
}

need_space() { # DIRECTORY MIB WHAT
	local free
	free=$(df --output=avail -B1M -- "$1" | tail -n1)
	[ "$free" -ge "$2" ] ||
		die "$3 needs $2 MiB below $1, $free MiB are free: make room, or set XDG_CACHE_HOME to a larger disk"
}

# seconds the shell has run, for "done in" lines
took() { printf '%d s' $((SECONDS - $1)); }

# cache_part NAME KEY MIB WHAT BUILDER: sets PART to the part's directory, made by `BUILDER directory` if it is missing.
# BUILDER's output goes to a log whose end is shown when it fails; what it prints with say is shown as it comes.
cache_part() {
	local name=$1 key=$2 mib=$3 what=$4 builder=$5 tmp log start old lock
	PART=$CACHE/$name/$key
	if [ -e "$PART/.complete" ]; then
		touch -c -- "$PART/.complete" 2>/dev/null || true
		return
	fi
	need_root
	mkdir -p -- "$CACHE/log" "$CACHE/$name" 2>/dev/null || die "cannot write to $CACHE: set XDG_CACHE_HOME to a directory you may write to"
	exec {lock}>"$CACHE/$name/.lock"
	if ! flock -n "$lock"; then
		say "another run is making the $what, waiting for it"
		flock "$lock"
	fi
	if [ -e "$PART/.complete" ]; then
		exec {lock}>&-
		return
	fi
	rm -rf --one-file-system -- "$CACHE/$name/making."* "$PART"
	need_space "$CACHE" "$mib" "the $what"
	start=$SECONDS
	say "making the $what"
	tmp=$CACHE/$name/making.$$
	log=$CACHE/log/$name
	mkdir -- "$tmp"
	chmod 755 -- "$tmp"
	run_builder "$builder" "$tmp" "$log"
	if [ "$BUILT" != 0 ]; then
		rm -rf --one-file-system -- "$tmp"
		[ "$BUILT" != "$SAID" ] || exit 1
		die "the $what could not be made (status $BUILT); the whole log is $log"
	fi
	touch -- "$tmp/.complete"
	sync -f -- "$tmp" || die "the disk below $CACHE took not everything: make room and run this again"
	mv -T -- "$tmp" "$PART"
	for old in "$CACHE/$name/"*; do
		[ "$old" = "$PART" ] || discard "$old"
	done
	say "$what: done in $(took "$start"), $(du -sm -- "$PART" | cut -f1) MiB"
	exec {lock}>&-
}

# Run a builder in a process of its own with `set -e` at work (bash turns it off below any `if` or `||`, so the result is
# left in BUILT and there is no such word here). A signal takes the builder along.
run_builder() { # BUILDER DIRECTORY LOG
	local pid log=$3
	exec 8>&2
	(
		say() { printf 'lab:   %s\n' "$*" >&8; }
		die() {
			printf 'lab: error: %s\n' "$*" >&8
			exit "$SAID"
		}
		# What was wrong may be the builder's guess; what the tools said stands in the log.
		trap '[ $? = 0 ] || { echo "lab: the end of $log:"; tail -n 15 -- "$log"; } >&8' EXIT
		"$1" "$2"
	) >"$log" 2>&1 </dev/null &
	pid=$!
	trap 'pkill -TERM -P $pid; kill $pid 2>/dev/null; rm -rf --one-file-system -- "$2"; exit 130' INT TERM HUP
	set +e
	wait "$pid"
	BUILT=$?
	set -e
	trap - INT TERM HUP
	exec 8>&-
}

# CHECKOUT: where this checkout's builds go, and what is known of them. That of a checkout that is gone goes, too.
use_checkout() {
	local lock
	CHECKOUT=$CACHE/checkouts/$(key "$TOP")
	[ ! -e "$CHECKOUT/path" ] || return 0
	mkdir -p -- "$CACHE/checkouts" || die "cannot write to $CACHE: set XDG_CACHE_HOME to a directory you may write to"
	exec {lock}>"$CACHE/checkouts/.lock"
	flock "$lock"
	[ -e "$CHECKOUT/path" ] || begin_checkout
	exec {lock}>&-
}

# What others built last of other people's crates, which look the same from each checkout (in-root), need not be built again:
# it is taken over from one that is gone, and copied from one that is there. What it built of ours, cargo would tell by the
# age of the sources, which need not be that of a checkout: it is to forget that.
begin_checkout() {
	local new=$CACHE/checkouts/making known built to name
	rm -rf --one-file-system -- "$new"
	mkdir -- "$new"
	while read -r built; do
		known=${built%/target-*}
		to=$new${built#"$known"}
		[ ! -e "$to" ] || continue
		mkdir -p -- "${to%/*}"
		if [ -d "$(cat "$known/path")" ]; then cp -a --reflink=auto -- "$built" "$to"; else mv -- "$built" "$to"; fi
		while read -r name; do
			rm -rf --one-file-system -- "$to/.fingerprint/$name"-*
		done < <(sed -n 's/^name = "\(.*\)"/\1/p' "$TOP"/userspace-ctl/*/Cargo.toml "$TOP"/tests/*/Cargo.toml "$TOP"/tests/*/*/Cargo.toml)
	done < <(find "$CACHE"/checkouts/*/target-* -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' 2>/dev/null | sort -rn | cut -d' ' -f2-)
	printf '%s\n' "$TOP" >"$new/path"
	for known in "$CACHE"/checkouts/*; do
		[ ! -e "$known/path" ] || [ -d "$(cat "$known/path")" ] || rm -rf --one-file-system -- "$known"
	done
	rm -rf --one-file-system -- "$CHECKOUT"
	mv -T -- "$new" "$CHECKOUT"
}

# fresh STAMP PATH…: was the build that STAMP marks made after the last change to the sources below the paths?
# A cheap answer, so that the next boot need not ask make and cargo. STAMP holds what the build made and of what age.
fresh() {
	local stamp=$1 made
	shift
	[ -e "$stamp" ] || return 1
	while read -r made; do
		[ "$(stat -c '%n %Y' -- "${made% *}" 2>/dev/null)" = "$made" ] || return 1
	done <"$stamp"
	[ -z "$(find "$@" \( -name target -o -name '.*.cmd' \) -prune -o -type f -newer "$stamp" \
		! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' ! -name '*.cmd' ! -name modules.order \
		! -name Module.symvers ! -name bindings.rs ! -name '.lab.*' -print -quit)" ]
}

# mark_fresh STAMP REFERENCE MADE…: note what a build has made from sources as old as the file REFERENCE.
mark_fresh() {
	local stamp=$1 reference=$2
	shift 2
	stat -c '%n %Y' -- "$@" >"$stamp.new"
	touch -r "$reference" -- "$stamp.new"
	mv -- "$stamp.new" "$stamp"
}

# Remove an old part, unless a running command holds it (see enter) or has asked for it within the hour.
discard() {
	local fd
	[ -d "$1" ] || return 0
	[ -z "$(find "$1/.complete" -mmin -60 2>/dev/null)" ] || return 0
	exec {fd}<"$1"
	if flock -n -x "$fd"; then rm -rf --one-file-system -- "$1"; fi
	exec {fd}<&-
}
