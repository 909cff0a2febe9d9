# SPDX-License-Identifier: GPL-2.0
"""Tests of the table of `make bench`: what is read, what is calculated, what is over its bar."""

import unittest

from results import Guest, Native, verdicts
from rows import Bar, Function, Row, choose, plan, read_bars, read_rows
from table import Table

ROWS = [
    Row("count", "counting", "ours", around="ours $CALLS", wall=True, shows=("call", "arming")),
    Row("graph", "following", "theirs", arm="on", disarm="off"),
    Row("theirs", "counting", "theirs", around="theirs $CALLS"),
    Row("everything", "all", "ours", around="ours '*' $CALLS", once=True),
]
FUNCTIONS = ["f", "g"]


def guest(*lines):
    found = Guest()
    for line in lines:
        found.take(line)
    return found


def row(name, function, least):
    return f"row {name} {function} 1000000000 1250000000 1300000000 {least:.2f} 300.00 900.00 2120 1400000000"


def counted():
    return guest(
        "kernel 7.3.4",
        row("untraced", "f", 264),
        row("count", "f", 304),
        row("theirs", "f", 505.5),
        "note theirs f lost 3 events",
        "failed graph f no such tracer",
        row("everything", "f", 400),
        row("untraced-again", "f", 264),
        row("untraced", "g", 100),
        row("count", "g", 190.4),
        row("untraced-again", "g", 140),
    )


def judged(bars):
    return list(verdicts(bars, counted(), lambda name: FUNCTIONS[:1] if name == "everything" else FUNCTIONS))


class Reading(unittest.TestCase):
    def test_a_row_is_what_it_adds_to_the_untraced_call(self):
        self.assertEqual(counted().added("count", "f"), 40)
        self.assertEqual(counted().measured["count", "f"].arming, 0.25)
        self.assertEqual(counted().measured["count", "f"].disarming, 0.1)
        self.assertEqual(counted().kernel, "7.3.4")

    def test_what_failed_has_no_figure_and_a_reason(self):
        self.assertIsNone(counted().added("graph", "f"))
        self.assertEqual(counted().failed["graph", "f"], "no such tracer")
        self.assertEqual(guest("failed count f ").failed["count", "f"], "no reason was given")

    def test_other_lines_are_no_results(self):
        self.assertIsNone(Guest().take("hello row"))
        self.assertIsNone(Native.parse("native of itself"))
        self.assertEqual(Native.parse("native write ns 12.5"), Native("write", "ns", 12.5))

    def test_what_stays_behind_is_noticed(self):
        self.assertEqual(len(list(counted().left_behind(["f"]))), 0)
        (wrong,) = counted().left_behind(FUNCTIONS)
        self.assertIn("+40", wrong)
        (wrong,) = Guest().left_behind(["f"])
        self.assertIn("not measured", wrong)


class Judging(unittest.TestCase):
    def test_the_worst_function_decides(self):
        met, over = judged([Bar("call", "count", 90), Bar("call", "count", 89)])
        self.assertTrue(met.met)
        self.assertEqual((over.met, over.worst, over.where), (False, 90, "g"))

    def test_what_was_not_measured_is_over(self):
        (missing,) = judged([Bar("call", "graph", 1000)])
        self.assertEqual((missing.met, missing.worst), (False, None))

    def test_a_row_of_one_function_is_judged_by_that(self):
        self.assertTrue(judged([Bar("call", "everything", 200)])[0].met)

    def test_seconds_are_not_rounded(self):
        self.assertFalse(judged([Bar("arming", "count", 0.2)])[0].met)

    def test_the_table_says_what_is_over_and_ends_with_the_sum(self):
        bars = [Bar("call", "count", 80), Bar("call", "everything", 200)]
        table = Table(ROWS, FUNCTIONS, counted(), None, [], judged(bars))
        text = "\n".join(table.text())
        self.assertRegex(text, r"  ours +40 +90 +80 OVER")
        self.assertRegex(text, r"  theirs +242 +-")
        self.assertIn("graph, f: no such tracer", text)
        self.assertIn("theirs, f: lost 3 events", text)
        self.assertLess(text.index("counting"), text.index("following"))
        lines = list(table.check([]))
        self.assertEqual(lines[0], "over: count, call: 90 instructions (g), at most 80")
        self.assertEqual(lines[-1], "1 bars met, 1 over")
        self.assertFalse(table.well([]))
        self.assertEqual(len(table.json()["counted"]), 9)

    def test_all_is_well_only_if_nothing_was_wrong(self):
        table = Table(ROWS, FUNCTIONS, counted(), None, [], judged([Bar("call", "count", 90)]))
        self.assertTrue(table.well([]))
        self.assertFalse(table.well(["the guest died"]))


class Planning(unittest.TestCase):
    def test_the_lists_can_be_read(self):
        _, rows = read_rows()
        listed = {bar.row for bar in read_bars(rows)}
        self.assertEqual(listed - {row.id for row in rows}, set())
        self.assertIn("loaded", [row.id for row in choose(rows, ["count"])])

    def test_each_function_has_its_rows_between_two_untraced_calls(self):
        lines = plan(ROWS, [Function("f", 1), Function("g", 2, 3)], 100, 1).splitlines()
        self.assertEqual(lines[1:5], ["begin 100 1", "on f 1 0", "armed untraced true true", "around count 'ours $CALLS'"])
        self.assertEqual(lines.count("armed untraced-again true true"), 2)
        self.assertEqual(sum("everything" in line for line in lines), 1)
        self.assertIn("armed graph on off", lines)


if __name__ == "__main__":
    unittest.main()
