"""Three children's walks against what the laboratory's own software (Vicon Plug-in Gait) stored in the same files.

Its angles are in degrees. Its moments say N·mm and are N·mm per kg of body mass: so a child of 30 kg has a hip
moment of 1 N·m/kg, not of 0.03. They are the internal moments with extension and abduction positive, so they
are compared with ours (flexion and adduction positive) with the opposite sign.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ezc3d
import numpy as np
import pytest

from tests.parity import published
from tests.parity.figures import Walked, cycles_of
from tests.parity.recorded_sessions import CHILDREN, Ingested
from warehouse.files import read

pytestmark = [pytest.mark.osim, pytest.mark.data]

Record = Callable[[str, str, str], None]
PER_NM = 1e-3


@dataclass(frozen=True)
class Pair:
    """One of our columns and the component of theirs that it should follow; ours = scale × theirs + offset."""

    name: str
    column: str
    output: str
    component: int
    scale: float
    unit: str
    least_r: float | None


PAIRS = (
    Pair("hip flexion", "hip_flexion_ipsi", "HipAngles", 0, 1, "degrees", 0.9),
    Pair("hip adduction", "hip_adduction_ipsi", "HipAngles", 1, 1, "degrees", None),
    Pair("knee flexion", "knee_angle_ipsi", "KneeAngles", 0, 1, "degrees", 0.9),
    Pair("ankle dorsiflexion", "ankle_angle_ipsi", "AnkleAngles", 0, 1, "degrees", None),
    Pair("hip flexion moment", "moment_hip_flexion", "HipMoment", 0, -PER_NM, "N·m/kg", None),
    Pair("hip adduction moment", "moment_hip_adduction", "HipMoment", 1, -PER_NM, "N·m/kg", None),
)


@pytest.fixture(scope="module")
def cycles(ingested: Ingested) -> list[Walked]:
    return cycles_of(ingested.warehouse, "children")


def model_output(path: Path, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Time and (T, 3) of one of Plug-in Gait's outputs, read by ezc3d; frames it left empty are not given."""
    file = ezc3d.c3d(str(path))
    point = file["parameters"]["POINT"]
    labels = [name for key in ("LABELS", "LABELS2") if key in point for name in point[key]["value"]]
    values = file["data"]["points"][:3, labels.index(label)].T
    first = file["header"]["points"]["first_frame"]
    time_s = (first + np.arange(len(values))) / file["header"]["points"]["frame_rate"]
    present = np.isfinite(values).all(axis=1) & (values != 0).any(axis=1)
    return time_s[present], values[present]


def theirs(cycle: Walked, pair: Pair, shared_data: Path) -> np.ndarray:
    path = shared_data / "walking_children" / cycle.key.subject / f"{cycle.key.trial}.c3d"
    time_s, values = model_output(path, f"{cycle.side[0].upper()}{pair.output}")
    inside = (cycle.time_s >= time_s[0] - 0.02) & (cycle.time_s <= time_s[-1] + 0.02)
    assert inside.all(), f"{cycle.name}: {pair.output} does not cover the cycle"
    return pair.scale * np.interp(cycle.time_s, time_s, values[:, pair.component])


def test_every_child_has_both_legs(cycles: list[Walked], record_figure: Record) -> None:
    record_figure("children's gait cycles", str(len(cycles)), "6")
    assert {(cycle.key.subject, cycle.side) for cycle in cycles} == {
        (subject, side) for subject in CHILDREN for side in ("right", "left")
    }


def test_moments_are_per_kilogram(cycles: list[Walked], shared_data: Path) -> None:
    """Read as N·mm, they would be a thirtieth of ours; as N·mm/kg, they agree in size."""
    pair = next(pair for pair in PAIRS if pair.name == "hip adduction moment")
    ratios = [
        np.abs(cycle.curve(pair.column)).max() / np.abs(theirs(cycle, pair, shared_data)).max() for cycle in cycles
    ]
    assert 0.5 < np.median(ratios) < 2


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.column)
def test_against_the_laboratorys_own(
    cycles: list[Walked], pair: Pair, shared_data: Path, record_figure: Record
) -> None:
    correlations, differences = [], []
    for cycle in cycles:
        mine, other = cycle.curve(pair.column), theirs(cycle, pair, shared_data)
        correlations.append(float(np.corrcoef(mine, other)[0, 1]))
        differences.append(float(np.sqrt(((mine - other) ** 2).mean())))
        print(
            f"\n{cycle.name} {pair.name}: r {correlations[-1]:.3f}, root mean square difference "
            f"{differences[-1]:.2f} {pair.unit}, mean {np.mean(mine - other):+.2f} {pair.unit}"
        )
    limit = "" if pair.least_r is None else f"r > {pair.least_r}"
    record_figure(f"children's {pair.name}, smallest r", f"{min(correlations):.3f}", limit)
    for child in sorted({cycle.key.subject for cycle in cycles}):
        here = [i for i, cycle in enumerate(cycles) if cycle.key.subject == child]
        record_figure(
            f"children's {pair.name}, {child}",
            f"r {min(correlations[i] for i in here):.3f}, RMS {max(differences[i] for i in here):.2f} {pair.unit}",
            "",
        )
    # The opposite sign would give -1: nothing may hang on which way is positive.
    assert min(correlations) > (0.5 if pair.least_r is None else pair.least_r)


def speed_of(cycle: Walked, ingested: Ingested, shared_data: Path) -> float:
    """Dimensionless; the legs as the laboratory measured them for its own model."""
    path = shared_data / "walking_children" / cycle.key.subject / f"{cycle.key.trial}.c3d"
    processing = ezc3d.c3d(str(path))["parameters"]["PROCESSING"]
    leg_m = np.mean([processing[name]["value"][0] for name in ("LLegLength", "RLegLength")]) / 1e3
    row = read.read_row(ingested.warehouse, "trials", cycle.key)
    return published.dimensionless_speed(row["walking_speed_m_s"], leg_m)


@pytest.mark.parametrize("moment", published.SCHWARTZ_2008, ids=lambda moment: moment.name)
def test_hip_moments_are_those_of_children_who_walk_as_fast(
    ingested: Ingested, cycles: list[Walked], moment: published.Moment, shared_data: Path, record_figure: Record
) -> None:
    scores = [moment.z(moment.value(cycle), speed_of(cycle, ingested, shared_data)) for cycle in cycles]
    record_figure(
        f"children's {moment.name}, from published children as fast", f"{np.mean(scores):+.2f} SD", "2 SD either way"
    )
    assert abs(np.mean(scores)) <= 2
