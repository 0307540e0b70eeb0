"""Twelve walks of six adults, taken through the whole chain from the command line: does it look like walking?

Recordings: Schreiber and Moissenet (2019), Sci Data 6:111. What others measured is in `published.py`.
"""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.parity import published
from tests.parity.figures import Walked, cycles_of, muscle_n
from tests.parity.recorded_sessions import Ingested
from warehouse.files import read

pytestmark = [pytest.mark.osim, pytest.mark.data]

Record = Callable[[str, str, str], None]
N_WALKS = 12
CONDITIONS = ("preferred", "fast")


@pytest.fixture(scope="module")
def trials(ingested: Ingested) -> list[dict[str, object]]:
    """The row of every adult's trial."""
    keys = [read.trial_key(account) for account in read.trials(ingested.warehouse)]
    return [read.read_row(ingested.warehouse, "trials", key) for key in keys if key.cohort == "adults"]


@pytest.fixture(scope="module")
def accepted(trials: list[dict[str, object]]) -> list[dict[str, object]]:
    return [row for row in trials if row["outcome"] == "accepted"]


@pytest.fixture(scope="module")
def cycles(ingested: Ingested) -> list[Walked]:
    return cycles_of(ingested.warehouse, "adults")


@pytest.fixture(scope="module")
def speeds(accepted: list[dict[str, object]], shared_data: Path) -> dict[str, float]:
    """Each accepted walk's speed over the square root of g times leg length, by trial."""
    with (shared_data / "walking_adults" / "anthropometrics.csv").open(newline="") as file:
        legs_m = {
            row["subjectID"]: (float(row["rightLegLength"]) + float(row["leftLegLength"])) / 2
            for row in csv.DictReader(file)
        }
    return {
        row["trial"]: published.dimensionless_speed(row["walking_speed_m_s"], legs_m[row["subject"]])
        for row in accepted
    }


def test_walks_are_accepted(
    trials: list[dict[str, object]], accepted: list[dict[str, object]], cycles: list[Walked], record_figure: Record
) -> None:
    for row in trials:
        if row["outcome"] == "rejected":
            print(f"\n{row['trial']}: {row['stage']}: {row['reason']}")
    record_figure("adults' walks accepted", f"{len(accepted)} of {len(trials)}", "at least 10")
    record_figure("adults' gait cycles", str(len(cycles)), "")
    assert len(trials) == N_WALKS
    assert len(accepted) >= 10
    assert {row["subject"] for row in accepted} == {row["subject"] for row in trials}


def test_markers_are_followed(accepted: list[dict[str, object]], record_figure: Record) -> None:
    rms_mm = 1e3 * max(row["marker_rms_max_m"] for row in accepted)
    largest_mm = 1e3 * max(row["marker_error_max_m"] for row in accepted)
    record_figure("adults' marker error, root mean square of the worst frame", f"{rms_mm:.1f} mm", "20 mm")
    record_figure("adults' marker error, worst marker of the worst frame", f"{largest_mm:.1f} mm", "40 mm")
    assert rms_mm < 20
    assert largest_mm < 40


def test_angles_look_like_walking(cycles: list[Walked]) -> None:
    """Gross shape only: an exchanged side, sign or event breaks it."""
    for cycle in cycles:
        hip, knee, ankle = (cycle.curve(f"{name}_ipsi") for name in ("hip_flexion", "knee_angle", "ankle_angle"))
        bent_deg, bent_phase = cycle.peak("knee_angle_ipsi")
        print(
            f"\n{cycle.name}: toe off {cycle.toe_off_phase:.2f}, hip {hip.min():.0f} to {hip.max():.0f}, "
            f"knee {knee.min():.0f} to {bent_deg:.0f} at {bent_phase:.2f}, ankle {ankle.min():.0f} to {ankle.max():.0f}"
        )
        assert 0.55 < cycle.toe_off_phase < 0.66
        assert 30 < np.ptp(hip) < 60
        assert 0.45 < cycle.phase[hip.argmin()] < 0.60
        assert 50 < bent_deg < 75
        assert 0.65 < bent_phase < 0.78
        # Some stand and walk on knees a few degrees beyond straight, where the model's range used to end.
        assert -8 < knee.min() < 15
        # Push-off points the foot down around toe off.
        assert abs(cycle.phase[ankle.argmin()] - cycle.toe_off_phase) < 0.06


def test_hip_moments_have_the_signs_of_walking(cycles: list[Walked]) -> None:
    """Extensors after foot strike and before the next, flexors before toe off, abductors while the leg stands alone."""
    for cycle in cycles:
        assert cycle.during("moment_hip_flexion", 0.02, 0.06).mean() < 0, cycle.name
        assert cycle.during("moment_hip_flexion", 0.90, 0.96).mean() < 0, cycle.name
        assert cycle.during("moment_hip_flexion", 0.40, 0.58).min() > 0, cycle.name
        assert cycle.during("moment_hip_adduction", 0.15, 0.45).max() < 0, cycle.name


def test_cycles_close_as_far_as_the_record_goes(cycles: list[Walked], record_figure: Record) -> None:
    """A cycle's last sample is the next foot strike: in steady walking it is like the first."""
    gaps = np.array([abs(np.diff(cycle.table["moment_hip_flexion"].iloc[[0, -1]])[0]) for cycle in cycles])
    margins_s = np.array([cycle.table["margin_s"].iloc[0] for cycle in cycles])
    record_figure(
        "adults' hip flexion moment, end of a cycle less its beginning: mean", f"{gaps.mean():.2f} N·m/kg", ""
    )
    record_figure(
        "adults' hip flexion moment, end of a cycle less its beginning: largest", f"{gaps.max():.2f} N·m/kg", ""
    )
    wide = gaps[margins_s >= 0.035]
    record_figure("... of cycles at least 35 ms inside the record: largest", f"{wide.max():.2f} N·m/kg", "0.35 N·m/kg")
    assert wide.max() < 0.35


# Measured and not met: in this laboratory the hip's moment is too much in flexion throughout stance. Plates that are
# late against the cameras by about 15 ms explain half of it (docs/plates-in-time.md); the rest isn't known.
TOO_FLEXING = pytest.mark.xfail(strict=True, reason="the adults' plates are late, and something else: not known")


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(moment, id=moment.name, marks=[TOO_FLEXING] if moment.name == "hip flexion moment at 50 %" else [])
        for moment in published.SCHWARTZ_2008
    ],
)
def test_hip_moments_beside_published_ones(
    cycles: list[Walked], speeds: dict[str, float], moment: published.Moment, record_figure: Record
) -> None:
    """Children are not adults: these bound the adults' moments, they don't confirm them."""
    for condition in CONDITIONS:
        values = [moment.value(cycle) for cycle in cycles if cycle.condition == condition]
        record_figure(f"adults' {moment.name}, {condition}", f"{np.mean(values):.2f} N·m/kg", "")
    # Nothing is known of children as fast as the fastest walk (2.3 m/s, 0.78 of the square root of g times leg length).
    known = [cycle for cycle in cycles if speeds[cycle.key.trial] <= published.SPEED[-1]]
    assert len(known) >= len(cycles) - 2
    scores = [moment.z(moment.value(cycle), speeds[cycle.key.trial]) for cycle in known]
    print(f"\n{moment.name}: {', '.join(f'{score:+.1f}' for score in scores)} SD")
    record_figure(
        f"adults' {moment.name}, from published children as fast", f"{np.mean(scores):+.2f} SD", "2 SD either way"
    )
    assert abs(np.mean(scores)) <= 2


@pytest.mark.parametrize(
    ("name", "column", "sign"),
    [
        ("flexion", "moment_hip_flexion", 1),
        pytest.param("extension", "moment_hip_flexion", -1, marks=TOO_FLEXING),
        ("abduction", "moment_hip_adduction", -1),
    ],
)
def test_peak_hip_moments(cycles: list[Walked], record_figure: Record, name: str, column: str, sign: int) -> None:
    least = []
    for condition in CONDITIONS:
        peaks = [(sign * cycle.curve(column)).max() for cycle in cycles if cycle.condition == condition]
        record_figure(
            f"adults' peak hip {name} moment, {condition}",
            f"{np.mean(peaks):.2f} ({min(peaks):.2f} to {max(peaks):.2f}) N·m/kg",
            "",
        )
        least.append(min(peaks))
    assert min(least) > 0.2


def test_triceps_surae_pulls_as_hard_as_was_measured(
    ingested: Ingested, cycles: list[Walked], record_figure: Record
) -> None:
    triceps_n, soleus_n_kg = [], []
    for cycle in (cycle for cycle in cycles if cycle.condition == "preferred"):
        soleus_n = muscle_n(ingested.warehouse, cycle, ("soleus",))
        triceps_n.append((soleus_n + muscle_n(ingested.warehouse, cycle, ("gasmed", "gaslat"))).max())
        soleus_n_kg.append(soleus_n.max() / cycle.mass_kg)
        peak_phase = cycle.phase[soleus_n.argmax()]
        print(
            f"\n{cycle.name}: triceps surae {triceps_n[-1]:.0f} N, {triceps_n[-1] / cycle.mass_kg:.1f} N/kg; "
            f"soleus {soleus_n_kg[-1]:.1f} N/kg at {peak_phase:.2f}"
        )
        assert 0.35 < peak_phase < 0.58
        assert soleus_n[cycle.phase > cycle.toe_off_phase + 0.05].max() < 0.25 * soleus_n.max()
    low, high = published.ACHILLES_N
    record_figure("adults' peak soleus force, preferred", in_newtons_and_weights(soleus_n_kg), "")
    record_figure(
        "adults' peak triceps surae force, preferred", f"{np.mean(triceps_n):.0f} N", f"{low:.0f} to {high:.0f} N"
    )
    assert low <= np.mean(triceps_n) <= high


@pytest.mark.parametrize(
    ("group", "start", "stop", "limit"),
    [
        # Both peaks of the abductors' force lie in single support; the hip flexors' lies where the leg starts forward.
        ("glmed", 0.08, 0.52, published.RUNNING_GLUTEUS_MEDIUS_N_KG),
        ("iliopsoas", 0.38, 0.65, published.RUNNING_ILIACUS_AND_PSOAS_N_KG),
    ],
)
def test_hip_muscles_pull_in_their_phase_and_less_than_in_running(
    cycles: list[Walked], group: str, start: float, stop: float, limit: published.Force, record_figure: Record
) -> None:
    for condition in CONDITIONS:
        peaks = []
        for cycle in (cycle for cycle in cycles if cycle.condition == condition):
            peak_n_kg, phase = cycle.peak(f"force_{group}")
            peaks.append(peak_n_kg)
            print(f"\n{cycle.name}: {group} {peak_n_kg:.1f} N/kg at {phase:.2f}")
            assert start < phase < stop
            idle = cycle.during(f"force_{group}", 0.70, 0.80).mean()
            assert idle < peak_n_kg / 3
        record_figure(
            f"adults' peak {group} force, {condition}",
            in_newtons_and_weights(peaks),
            f"running: {limit.value:.4g} N/kg",
        )
        assert np.mean(peaks) < limit.value


def in_newtons_and_weights(peaks_n_kg: list[float]) -> str:
    mean = np.mean(peaks_n_kg)
    span = f"{min(peaks_n_kg):.1f} to {max(peaks_n_kg):.1f}"
    return f"{mean:.1f} ({span}) N/kg, {mean / published.GRAVITY_M_S2:.1f} body weights"
