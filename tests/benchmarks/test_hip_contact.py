"""Where the peaks of the hip's contact force are, on curves whose peaks are known, and the tables."""

import numpy as np
import pytest

from benchmarks.hip_contact import StrideContact, muscle_table, person_table, two_peaks, versus_table

PHASE = np.linspace(0, 1, 101, endpoint=False)


def two_humps():
    return 200 * np.exp(-(((PHASE - 0.15) / 0.05) ** 2)) + 500 * np.exp(-(((PHASE - 0.5) / 0.05) ** 2))


def test_the_first_peak_is_early_and_the_second_late_in_stance():
    # A third hump, in swing, is larger than both.
    peaks = two_peaks(PHASE, two_humps() + 900 * np.exp(-(((PHASE - 0.9) / 0.03) ** 2)))
    assert (peaks.first_n, peaks.second_n) == (pytest.approx(200, rel=0.02), pytest.approx(500, rel=0.02))
    assert peaks.second_phase == pytest.approx(0.5, abs=0.01)
    assert PHASE[peaks.second_frame] == peaks.second_phase


def test_what_is_not_known_gives_no_peak():
    force_n = two_humps()
    assert two_peaks(PHASE, np.where(PHASE < 0.3, np.nan, force_n)) is None
    partly = two_peaks(PHASE, np.where((PHASE > 0.45) & (PHASE < 0.55), np.nan, force_n))
    assert partly.second_n < 300


def stride(person, second, condition="preferred"):
    return StrideContact(
        cohort="adults",
        person=person,
        condition=condition,
        speed_m_s=1.1,
        first=300.0,
        second=second,
        phase=50.0,
        flexion_nm_kg=1.0,
        full=1.0,
        least=50.0,
        pushes={"psoas": 120.0, "iliacus": 100.0, "recfem": second - 300},
        activations={"psoas": 0.8, "iliacus": 0.9, "recfem": 0.2},
        rest=80.0,
    )


def test_a_walks_legs_are_averaged_and_people_after_them():
    lines = person_table([stride("A", 500.0), stride("A", 600.0), stride("B", 450.0)]).splitlines()
    second = [line.split(" | ")[4] for line in lines[2:]]
    assert second == ["550", "450", "500", "50", "550"]


def test_muscles_and_bodies_make_up_the_peak():
    rows = [line.split(" | ") for line in muscle_table([stride("A", 500.0)], "preferred").splitlines()[2:]]
    assert [row[0] for row in rows] == ["| recfem", "| psoas", "| iliacus", "| other muscles", "| bodies and ground"]
    assert sum(float(row[1]) for row in rows) == 500


def test_before_and_after_are_compared_on_the_same_people():
    before = [stride("A", 500.0), stride("B", 900.0), stride("A", 700.0, "fast")]
    (row,) = versus_table(before, [stride("A", 400.0)]).splitlines()[2:]
    assert row.startswith("| adults, preferred (1) | 300 → 300 | 500 → 400 |")
