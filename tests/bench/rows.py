# SPDX-License-Identifier: GPL-2.0
"""What is measured (rows.toml), how much it may cost (bars.toml), and the plan that makes a guest measure it."""

import fnmatch
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Rows that every plan has: the untraced call before all others and after them, in between the module gets loaded.
UNTRACED, UNTRACED_AGAIN, LOADED = "untraced", "untraced-again", "loaded"
KINDS = ("call", "arming", "disarming")


@dataclass(frozen=True)
class Function:
    name: str
    call: int
    argument: int = 0


@dataclass(frozen=True)
class Row:
    id: str
    work: str
    who: str
    around: str = ""
    arm: str = ""
    disarm: str = ""
    wall: bool = False
    once: bool = False
    every: bool = False
    shows: tuple[str, ...] = ("call",)

    def line(self):
        """The plan's line."""
        if self.around:
            return shlex.join(["every" if self.every else "around", self.id, self.around])
        return shlex.join(["armed", self.id, self.arm, self.disarm])


@dataclass(frozen=True)
class Bar:
    """At most so many instructions (call) or seconds (arming, disarming)."""

    kind: str
    row: str
    most: float


def read_rows():
    """All functions by name, and all rows in order."""
    listed = tomllib.loads((HERE / "rows.toml").read_text())
    functions = {name: Function(name, **about) for name, about in listed["function"].items()}
    rows = [Row(**{**row, "shows": tuple(row.get("shows", ("call",)))}) for row in listed["row"]]
    ids = [row.id for row in rows]
    for row in rows:
        assert ids.count(row.id) == 1, f"rows.toml: two rows {row.id}"
        assert bool(row.around) != bool(row.arm and row.disarm), f"rows.toml: {row.id}: around, or arm and disarm"
        assert set(row.shows) <= {"call", "arming"}, f"rows.toml: {row.id}: shows"
    return functions, rows


def read_bars(rows):
    """The bars of these rows."""
    listed = tomllib.loads((HERE / "bars.toml").read_text())
    assert set(listed) <= set(KINDS), "bars.toml: there are call, arming and disarming"
    ids = {row.id for row in rows}
    return [Bar(kind, row, most) for kind in KINDS for row, most in listed.get(kind, {}).items() if row in ids]


def choose(rows, globs):
    """The rows that any of these globs matches; all, if there are none."""
    return [row for row in rows if not globs or row.id == LOADED or any(fnmatch.fnmatchcase(row.id, g) for g in globs)]


def of_function(rows, functions):
    """Each function with its rows."""
    for nth, function in enumerate(functions):
        yield function, [row for row in rows if nth == 0 or not row.once]


def plan(rows, functions, batch, threads):
    """The script that measures these rows: see measure.sh."""
    lines = ['. "$(dirname "$0")/measure.sh"', f"begin {batch} {threads}"]
    for function, its_rows in of_function(rows, functions):
        lines.append(shlex.join(["on", function.name, str(function.call), str(function.argument)]))
        lines.append(f"armed {UNTRACED} true true")
        lines += [row.line() for row in its_rows]
        lines.append(f"armed {UNTRACED_AGAIN} true true")
    return "\n".join(lines) + "\n"
