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

from benchmarks.laboratory_outputs import LaboratoryWalk, laboratory_walks
from warehouse.files.read import read_table
from warehouse.layout import Warehouse

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
    for walk in laboratory_walks(warehouse, "HipAngles"):
        yield from _of_walk(warehouse, walk)


def _of_walk(warehouse: Warehouse, walk: LaboratoryWalk) -> Iterator[StrideDifference]:
    ours = read_table(warehouse, "joint_angles", walk.key)
    time_s = ours["time_s"].to_numpy()
    for stride in walk.strides:
        inside = stride.within(time_s)
        for angle, (label, component) in COMPARED.items():
            theirs = walk.output(f"{stride.letter}{label}")
            if theirs is not None:
                column = angle if angle.endswith("tilt") else f"{angle}_{stride.side[0]}"
                expected = np.interp(time_s[inside], walk.recording.time_s, theirs[:, component])
                off_deg = ours[column].to_numpy()[inside] - expected
                yield difference(walk.key.subject, stride.side, angle, off_deg)


def difference(person: str, side: str, angle: str, off_deg: np.ndarray) -> StrideDifference:
    """The figures of a stride's differences (T,). NaN if the laboratory lacks a frame of it, or we the angle."""
    mean_deg = float(np.mean(off_deg))
    rms_deg = float(np.sqrt(np.mean((off_deg - mean_deg) ** 2)))
    return StrideDifference(person=person, side=side, angle=angle, mean_deg=mean_deg, rms_deg=rms_deg)


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
