import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.audit import TARGETS, Fault, at, raised, scaled, with_fault
from reports.audit.absolute.physiology import ISOMETRIC_N
from reports.audit.audit import audit_cycles
from reports.audit.curves import AuditCycles
from reports.audit.verdict import AuditVerdict
from tests.reports.audit.cohort import WHO, found, made_up
from warehouse.channels import MUSCLE_GROUPS


def test_a_mass_ten_times_too_large_is_found_in_the_body_and_in_the_targets() -> None:
    cycles = made_up(conditions=("slow", "fast"))
    spoilt = with_fault(cycles, cycles.subject == WHO, scaled(0.1, TARGETS))
    spoilt = replace(spoilt, mass_kg=np.where(cycles.subject == WHO, 700.0, 70.0))

    assert found(spoilt) == [
        ("body", WHO, "targets"),
        ("scale", f"{WHO} fast", "targets"),
        ("scale", f"{WHO} slow", "targets"),
    ]


def everybody(cycles: AuditCycles, fault: Fault) -> list[AuditVerdict]:
    return list(audit_cycles(with_fault(cycles, np.ones(len(cycles), dtype=bool), fault)).verdicts)


@pytest.mark.parametrize(
    ("fault", "channel", "said"),
    [
        (raised(2.5, "moment_hip_flexion"), "moment_hip_flexion", "and no walk is known beyond 2.2"),
        (scaled(0.05, [at("moment_hip_flexion")]), "moment_hip_flexion", "a leg that carries its body by more"),
        (raised(120.0, "knee_angle_r"), "knee_angle_r", "degrees, and no walk is known beyond 120"),
        (scaled(100, [at("force_glmed")]), "force_glmed", "times as hard as these muscles can"),
        (scaled(-1, [at("force_iliopsoas")]), "force_iliopsoas", "muscles only pull"),
    ],
)
@pytest.mark.parametrize("n_subjects", [1, 8])
def test_what_all_have_is_told_if_nobody_can_have_it(fault: Fault, channel: str, said: str, n_subjects: int) -> None:
    """The majority is not the standard: compared with each other, nobody is far."""
    told = everybody(made_up(n_subjects=n_subjects), fault)

    assert {(verdict.kind, verdict.channel) for verdict in told} == {("physiology", channel)}
    assert len({verdict.subject for verdict in told}) == n_subjects
    assert all(said in verdict.found for verdict in told)


def test_muscles_are_as_strong_as_the_published_model_s() -> None:
    """The figures of the built-in model, which are those of the released file."""
    table = Path(__file__).parents[4] / "pipeline/osim/models/rajagopal2016/muscles.csv"
    rows = {row["name"]: float(row["max_isometric_force_n"]) for row in csv.DictReader(table.open())}

    for group, units in MUSCLE_GROUPS.items():
        assert ISOMETRIC_N[f"force_{group}"] == pytest.approx(sum(rows[unit] for unit in units), abs=1)
