# SPDX-License-Identifier: GPL-2.0
"""Find the kernel's complaints in a console log.

As a program: check that each line of a file is one. The guest tests notice the same in the guest's own log
(tests/guest/src/guest.rs), and are checked with the same file.
"""

import re
import sys

# Messages after which the machine may not go on.
FATAL = [
    r"BUG: unable to handle",
    r"BUG: kernel NULL pointer",
    r"BUG: stack guard page",
    r"kernel BUG at ",
    r"Oops: ",
    r"Oops!",
    r"Kernel panic - not syncing",
    r"double fault:",
    r"Unable to handle kernel ",
    r".*: [0-9a-f]{4} \[#\d+\]",  # "general protection fault: 0000 [#1]", "invalid opcode: …", "divide error: …"
    r".*detected buffer overflow",
    r"watchdog: .*[Hh]ard LOCKUP",
]
# Linux 7.3's own: an interrupt that unwinds the stack (KASAN and its like do) between the last call in return_to_handler
# (arch/x86/kernel/ftrace_64.S) and the instruction behind it finds the call's return address, for which objtool has noted
# a stack pointer that does not move. Any user of the function graph may see it, once in a boot.
HARMLESS = r"stack going in the wrong direction\? at return_to_handler\+"
# Linux 7.3's own as well, see docs/limits.md: from its scissors line to the end of its trace.
HARMLESS_BLOCK = re.compile(
    r"^[^\n]*\[ cut here \][^\n]*\n[^\n]*WARNING: kernel/trace/fprobe\.c:\d+ at fprobe_return\+"
    r"(?:(?!\[ cut here \]).)*?---\[ end trace [^\n]*$",
    re.DOTALL | re.MULTILINE,
)
# The kernel's own data races are none of ours: only a report of KCSAN that has the module on one of its stacks is, but
# for a stub that follows a call there.
RACE = re.compile(r"^[^\n]*BUG: KCSAN: .*?={20}", re.DOTALL | re.MULTILINE)
OUR_RACE = re.compile(r" (?!rtrace_s(?:lot|tub)_)\S+ \[rust_tracer\]")
OTHERS = [
    r"BUG: ",  # KASAN, KCSAN, KFENCE, soft lockup, scheduling while atomic, sleeping function, workqueue lockup, …
    r"BUG .*: ",  # slab corruption: "BUG kmalloc-64 (Not tainted): …"
    r"watchdog: BUG: ",
    rf"WARNING: (?!{HARMLESS})",
    r"UBSAN: ",
    r"(KASAN|KCSAN|KMSAN|KFENCE): ",
    r"(Possible|possible) (circular|recursive|irq lock|interrupt unsafe)",
    r"INFO: possible ",
    r"INFO: inconsistent lock state",
    r"INFO: suspicious RCU usage",
    r"INFO: task .* blocked for more than",
    r"INFO: trying to register non-static key",
    r"INFO: rcu.* detected",
    r"rcu: INFO: .*(detected|self-detected)",
    r"rcu: .*kthread .*starved",
    r"INFO: NMI handler .* took too long",
    r"kmemleak: \d+ new suspected memory leaks",
    r"refcount_t: ",
    r"list_(add|del) corruption",
    r"DEBUG_LOCKS_WARN_ON",
    r"ODEBUG: ",
    r"Memory failure: ",
    r"rust_kernel: panicked at",
    r".*: panicked at ",
    r"Call Trace:",
]

# "[    1.234567][  T123] " before each message.
STAMP = r"^(?:\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? )"
_FATAL = re.compile(STAMP + "(?:" + "|".join(FATAL) + ")")
_ANY = re.compile(STAMP + "(?:" + "|".join(FATAL + OTHERS) + ")")
# A splat's message sits below its scissors line.
_CUT = "[ cut here ]"
CONTEXT_LINES = 120


def find_splat(console, fatal=False):
    """The text of the first splat and what follows it, or None; with fatal only those that may stop the machine."""
    console = RACE.sub(lambda report: report[0] if OUR_RACE.search(report[0]) else "", console)
    lines = HARMLESS_BLOCK.sub("", console).splitlines()
    pattern = _FATAL if fatal else _ANY
    for n, line in enumerate(lines):
        if pattern.match(line):
            start = max(0, n - 2)
            while start < n and _CUT not in lines[start]:
                start += 1
            return "\n".join(lines[start : n + CONTEXT_LINES])
    return None


def main():
    with open(sys.argv[1], encoding="utf-8") as samples:
        missed = [line for line in samples if not find_splat("[    1.000000] " + line)]
    for line in missed:
        print(f"{sys.argv[1]}: splat.py does not take this for a complaint: {line}", end="", file=sys.stderr)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
