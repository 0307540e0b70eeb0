"""Tables of figures."""

import math

from benchmarks.tables import markdown, summary_rows


def test_numbers_have_their_digits_and_the_unknown_is_a_dash():
    table = markdown(("who", "a", "b", "c"), [["A", 1.26, math.nan, -0.2]], (0, 1, 2, 0))
    assert table.splitlines()[-1] == "| A | 1.3 | – | 0 |"


def test_a_summary_leaves_out_what_is_not_known():
    rows = [["A", "x", 1.0, math.nan], ["B", "y", -3.0, 5.0]]
    assert summary_rows("both", rows) == [
        ["both: mean", "", -1.0, 5.0],
        ["both: SD", "", 2.0, 0.0],
        ["both: largest", "", -3.0, 5.0],
    ]
