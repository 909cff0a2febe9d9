#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Times the module's stubs in user space: see stubs.c. Where a compiler is, after the module was built:
#	scripts/lab/module && scripts/lab/in-root -C tests/bench/stubs sh run.sh
set -eu
cd "$(dirname -- "$0")"
module=../../../rust_tracer
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
gcc -O2 -Wall -Wextra -no-pie -static -fcf-protection=none -fno-stack-protector -Wl,-z,noexecstack \
	-I. -I"$module/arch" -o "$made/stubs" stubs.c sites.S "$module/arch/stub.S" "$module/arch/slot.S"
"$made/stubs"
