# SPDX-License-Identifier: GPL-2.0
"""Find the kernel's complaints in a console log."""

import re

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
OTHERS = [
    r"BUG: ",  # KASAN, KCSAN, KFENCE, soft lockup, scheduling while atomic, sleeping function, workqueue lockup, …
    r"BUG .*: ",  # slab corruption: "BUG kmalloc-64 (Not tainted): …"
    r"watchdog: BUG: ",
    r"WARNING: ",
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
    lines = console.splitlines()
    pattern = _FATAL if fatal else _ANY
    for n, line in enumerate(lines):
        if pattern.match(line):
            start = max(0, n - 2)
            while start < n and _CUT not in lines[start]:
                start += 1
            return "\n".join(lines[start : n + CONTEXT_LINES])
    return None
