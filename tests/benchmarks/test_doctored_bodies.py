"""What was said of doctored sessions, counted."""

from dataclasses import replace

import pytest

from benchmarks.doctored_bodies import Verdict, power_table

SILENT = Verdict(refused=(), walks_refused=(), n_walks=2, put_right=())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, ""),
        ({"refused": ("foot_height (right less left): 80 mm",)}, "session"),
        ({"walks_refused": ("subject: one",)}, ""),
        ({"walks_refused": ("subject: one", "subject: two")}, "walks"),
        ({"put_right": ("R and L were exchanged",)}, "put right"),
        ({"put_right": ("R and L were exchanged",), "refused": ("foot_ahead (right): 1 mm",)}, "session"),
    ],
)
def test_how_a_fault_was_told(said, told):
    assert replace(SILENT, **said).told == told


def test_a_table_counts_people_and_names_what_told_first():
    lifted = replace(
        SILENT, refused=("foot_height (right less left): 80 mm", "standing_knee (knee_angle_r): 50 degree")
    )

    table = power_table({"none": [SILENT, SILENT], "one foot": [lifted, lifted, SILENT]})

    _, _, none, one_foot = table.splitlines()
    assert none == "| none | 2 | 0 | 0 | 0 | 0 |  |"
    assert one_foot == "| one foot | 3 | 2 | 2 | 0 | 0 | foot_height 2 |"
