from dataclasses import replace

import numpy as np
import pytest

from benchmarks.audit import at, with_fault
from reports.audit.audit import audit_cycles
from reports.audit.curves import AuditCycles
from reports.pages.audit import audit_page
from tests.reports.audit.cohort import made_up


def negative(curves: np.ndarray) -> np.ndarray:
    curves[:, at("moment_hip_flexion")] *= -1
    return curves


@pytest.fixture(scope="module")
def spoilt() -> AuditCycles:
    cycles = made_up(n_subjects=6)
    return with_fault(cycles, (cycles.subject == "adults/S01") & (cycles.side == "left"), negative)


@pytest.fixture(scope="module")
def page(spoilt: AuditCycles) -> str:
    return audit_page(audit_cycles(spoilt), spoilt, "Six <people>")


def test_it_says_what_was_found_and_why_it_matters(page: str) -> None:
    assert "<h1>Six &lt;people&gt;</h1>" in page
    assert "1 verdicts on 1 of 6 subjects, 24 cycles: 1 sign." in page
    assert "<th>sign</th><td>The curve runs against everybody else&#39;s" in page
    assert "<td>adults/S01 med left</td><td>moment_hip_flexion</td>" in page
    assert "Nothing was left out." in page


def test_it_draws_the_flagged_cycles_the_subject_s_others_and_the_band(page: str) -> None:
    assert page.count("<svg") == 1
    assert "hip flexion moment, med" in page
    # Two flagged cycles, and one line of the legend; so too the subject's other two.
    assert page.count("stroke: #d4000f") == 3
    assert page.count("stroke: #595959") == 3
    assert all(f">{name}</text>" in page for name in ("others", "own", "flagged"))


def test_the_same_cycles_give_the_same_page(spoilt: AuditCycles, page: str) -> None:
    assert audit_page(audit_cycles(spoilt), spoilt, "Six <people>") == page


def test_a_wrong_mass_shows_targets_of_every_condition(spoilt: AuditCycles) -> None:
    cycles = made_up(n_subjects=3, conditions=("slow", "fast"))
    heavy = replace(cycles, mass_kg=np.where(cycles.subject == "adults/S01", 700.0, 70.0))

    page = audit_page(audit_cycles(heavy), heavy, "Heavy")

    assert "a body mass index of 229" in page
    for title in ("hip adduction moment", "gluteus medius", "iliopsoas"):
        assert f"{title}, slow" in page
        assert f"{title}, fast" in page
    assert "3 subjects are too few to say who is far" in page


def test_virtual_people_are_said_to_be(spoilt: AuditCycles) -> None:
    virtual = replace(
        spoilt,
        cohort=np.full(len(spoilt), "virtual-healthy"),
        subject=np.char.replace(spoilt.subject, "adults", "virtual-healthy"),
    )

    page = audit_page(audit_cycles(virtual), virtual, "Virtual")

    assert "Virtual, not patients: virtual-healthy." in page
    assert "Virtual, not patients" not in audit_page(audit_cycles(spoilt), spoilt, "Real")
