"""Our angles by Plug-in Gait's conventions against laboratories' own: `python -m benchmarks.laboratory_angles FOLDER`.

FOLDER was made by `python -m benchmarks.people`. Walks whose recordings hold the laboratory's angles (children's and
hospitals' do) are compared stride by stride: the mean difference, ours less theirs, and the root mean square that is
left when it is taken away. Zeros differ by where markers sit; a hip's and a knee's rotation by how the knee's axis was
told, and a knee's and an ankle's by whether the laboratory measured a tibial torsion.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.c3d.read_c3d import read_c3d
from pipeline.records import Recording
from pipeline.session.session import load_session
from warehouse.files.read import read_table, read_trial_cycles, trial_key, trials_with_cycles
from warehouse.holdings.sources import read_sources
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.metadata import Stored

# Our angle, without its side's letter, and which component of which of theirs it is.
COMPARED: dict[str, tuple[str, int]] = {
    "pig_pelvis_tilt": ("PelvisAngles", 0),
    "pig_pelvis_obliquity": ("PelvisAngles", 1),
    "pig_pelvis_rotation": ("PelvisAngles", 2),
    "pig_hip_flexion": ("HipAngles", 0),
    "pig_hip_adduction": ("HipAngles", 1),
    "pig_hip_rotation": ("HipAngles", 2),
    "pig_knee_flexion": ("KneeAngles", 0),
    "pig_knee_adduction": ("KneeAngles", 1),
    "pig_knee_rotation": ("KneeAngles", 2),
    "pig_ankle_dorsiflexion": ("AnkleAngles", 0),
    "pig_ankle_rotation": ("AnkleAngles", 2),
    "pig_foot_progression": ("FootProgressAngles", 2),
}
# Endings that laboratories give their own variants of Plug-in Gait.
ENDINGS = ("", "_M")


@dataclass(frozen=True)
class StrideDifference:
    """Of one stride and angle, degrees: the mean of ours less theirs, and the root mean square about that mean."""

    person: str
    side: str
    angle: str
    mean_deg: float
    rms_deg: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where benchmarks.people wrote")
    warehouse = Warehouse(str(parser.parse_args().folder / "warehouse"))
    found = list(differences(warehouse))
    if not found:
        raise SystemExit(f"{warehouse.root}: no accepted walk's recording holds Plug-in Gait's angles.")
    print(person_table(found))
    print()
    print(summary_table(found))


def differences(warehouse: Warehouse) -> Iterator[StrideDifference]:
    """Every stride of every accepted walk whose recording has the laboratory's angles."""
    recordings = _recordings(warehouse)
    for trial in trials_with_cycles(warehouse):
        recording = read_c3d(recordings[trial_key(trial)])
        if _theirs(recording, "R", "HipAngles") is not None:
            yield from _of_trial(warehouse, trial, recording)


def _recordings(warehouse: Warehouse) -> dict[TrialKey, Path]:
    sessions = [load_session(Path(source.session_file)) for source in read_sources(warehouse)]
    return {session.trial_key(trial.name): trial.path for session in sessions for trial in session.trials}


def _of_trial(warehouse: Warehouse, trial: Stored, recording: Recording) -> Iterator[StrideDifference]:
    key = trial_key(trial)
    ours = read_table(warehouse, "joint_angles", key)
    time_s = ours["time_s"].to_numpy()
    strides = read_trial_cycles(warehouse, trial, ["side", "cycle", "start_s", "duration_s"]).to_pylist()
    for side, start_s, duration_s in sorted({(row["side"], row["start_s"], row["duration_s"]) for row in strides}):
        inside = (time_s >= start_s) & (time_s <= start_s + duration_s)
        for angle, (label, component) in COMPARED.items():
            theirs = _theirs(recording, side[0].upper(), label)
            if theirs is not None:
                column = angle if angle.endswith("tilt") else f"{angle}_{side[0]}"
                expected = np.interp(time_s[inside], recording.time_s, theirs[:, component])
                yield difference(key.subject, side, angle, ours[column].to_numpy()[inside] - expected)


def difference(person: str, side: str, angle: str, off_deg: np.ndarray) -> StrideDifference:
    """The figures of a stride's differences (T,). NaN if the laboratory lacks a frame of it, or we the angle."""
    mean_deg = float(np.mean(off_deg))
    rms_deg = float(np.sqrt(np.mean((off_deg - mean_deg) ** 2)))
    return StrideDifference(person=person, side=side, angle=angle, mean_deg=mean_deg, rms_deg=rms_deg)


def _theirs(recording: Recording, letter: str, label: str) -> np.ndarray | None:
    """The laboratory's angles (T, 3), NaN in frames that it left at zero; None if the recording lacks them."""
    for ending in ENDINGS:
        output = recording.model_outputs.get(f"{letter}{label}{ending}")
        if output is not None:
            return np.where((output.values == 0).all(axis=1, keepdims=True), np.nan, output.values)
    return None


def person_table(found: Iterable[StrideDifference]) -> str:
    """Of each person and angle, right and left: the mean over strides of mean difference and remaining RMS."""
    strides = _grouped(found)
    lines = [
        "| person | angle | right: strides | mean | RMS | left: strides | mean | RMS |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for person, angle in dict.fromkeys((person, angle) for person, angle, _ in strides):
        cells = [_cells(strides.get((person, angle, side), [])) for side in ("right", "left")]
        lines.append(f"| {person} | {angle} | {' | '.join(cells)} |")
    return "\n".join(lines)


def summary_table(found: Iterable[StrideDifference]) -> str:
    """Of each angle over people, both legs' strides counted alike: mean difference, the largest, and remaining RMS."""
    legs: dict[str, dict[str, list[StrideDifference]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        legs[one.angle][one.person].append(one)
    lines = [
        "| angle | people | mean difference | largest of a person | RMS | largest of a person |",
        "|---|---|---|---|---|---|",
    ]
    for angle, people in legs.items():
        means = np.array([np.mean([one.mean_deg for one in strides]) for strides in people.values()])
        rms = np.array([np.mean([one.rms_deg for one in strides]) for strides in people.values()])
        furthest = means[np.argmax(np.abs(means))]
        lines.append(
            f"| {angle} | {len(people)} | {means.mean():+.1f} | {furthest:+.1f} | {rms.mean():.1f} | {rms.max():.1f} |"
        )
    return "\n".join(lines)


def _grouped(found: Iterable[StrideDifference]) -> dict[tuple[str, str, str], list[StrideDifference]]:
    strides = defaultdict(list)
    for one in found:
        strides[one.person, one.angle, one.side].append(one)
    return dict(strides)


def _cells(strides: list[StrideDifference]) -> str:
    if not strides:
        return "0 | | "
    mean_deg, rms_deg = (np.mean([getattr(one, name) for one in strides]) for name in ("mean_deg", "rms_deg"))
    return f"{len(strides)} | {mean_deg:+.1f} | {rms_deg:.1f}"


if __name__ == "__main__":
    main()
