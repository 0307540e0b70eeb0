"""The hip's contact force beside instrumented hips: `python -m benchmarks.hip_contact FOLDER [--versus FOLDER2]`.

FOLDER is what `python -m benchmarks.people FOLDER` made. For every walk that can be solved, accepted or not: both peaks
of the contact force in percent of body weight, the hip's flexion moment at half the stride, muscles at full and at
least activation, and which muscles make the second peak. With `--versus`, FOLDER's mean before and FOLDER2's after.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.efforts import Effort, WalkEffort
from benchmarks.solved_walks import SolvedWalk, sized_people, solved_walks, versus_parser
from benchmarks.tables import Cell, markdown, summary_rows
from pipeline.ground.cycles import Stride
from pipeline.osim.log import quiet

# Where the peaks are looked for, as shares of the stride: the second lies before the foot leaves.
FIRST, SECOND = (0.0, 0.30), (0.30, 0.68)
FLEXORS = ("psoas", "iliacus", "recfem")
FULL_ACTIVATION = 0.99
# What instrumented prostheses measured, as the papers' abstracts have it.
MEASURED = (
    ("Bergmann et al. 2001, J Biomech 34:859, average of four patients, 4 km/h (1.1 m/s)", "238 (the larger peak)"),
    ("Bergmann et al. 1993, J Biomech 26:969, first patient, 1 to 5 km/h", "280 to 480 (medians)"),
    ("Bergmann et al. 1993, second patient, 3 km/h", "410 (median)"),
)
HEAD = (
    "walk", "condition", "speed, m/s", "first peak, % BW", "second peak, % BW", "at, % of stride",
    "flexion moment at 50 %, N·m/kg", "psoas", "iliacus", "rectus femoris", "full, %", "least, %",
)  # fmt: skip
DIGITS = (0, 0, 2, 0, 0, 0, 2, 2, 2, 2, 1, 0)
MOST_MUSCLES = 12


@dataclass(frozen=True, kw_only=True)
class Peaks:
    """A stride's two peaks of the hip's contact force, and when the second is: a share of the stride and a frame."""

    first_n: float
    second_n: float
    second_phase: float
    second_frame: int


@dataclass(frozen=True, kw_only=True)
class StrideContact:
    """One stride's figures, forces in percent of body weight.

    pushes and activations: of the own leg's muscles at the second peak; `rest` is what bodies and ground take.
    """

    cohort: str
    person: str
    condition: str
    speed_m_s: float
    first: float
    second: float
    phase: float
    flexion_nm_kg: float
    full: float
    least: float
    pushes: dict[str, float]
    activations: dict[str, float]
    rest: float


def main() -> None:
    arguments = versus_parser(__doc__).parse_args()
    quiet()
    before = list(contacts(arguments.folder, arguments.recipe, arguments.only))
    print(person_table(before), "\n")
    for condition in dict.fromkeys(one.condition for one in before):
        print(muscle_table([one for one in before if one.condition == condition], condition), "\n")
    print(markdown(("measured", "% of body weight"), MEASURED, (0, 0)))
    if arguments.versus:
        after = list(contacts(arguments.versus, arguments.recipe, arguments.only))
        print("\n" + versus_table(before, after))


def contacts(folder: Path, recipe: str, only: Sequence[str]) -> Iterator[StrideContact]:
    """Every stride of every walk that can be solved, its own leg's force known around both peaks."""
    for person in sized_people(folder, recipe, only):
        for walk in solved_walks(person):
            ready = WalkEffort.of(walk)
            effort = ready.solve()
            for stride in walk.observed.strides:
                peaks = peaks_of(walk, effort, stride)
                if peaks is not None:
                    yield _stride_contact(ready, effort, stride, peaks)


def peaks_of(walk: SolvedWalk, effort: Effort, stride: Stride) -> Peaks | None:
    """The peaks of a stride's own hip; None where the ground's force is not known around one of them."""
    loads = effort.loads
    force_n = np.linalg.norm(loads.in_distal_n[:, loads.joints.index(f"hip_{stride.side[0]}")], axis=1)
    return two_peaks(walk.phase(stride), np.where(walk.known(stride), force_n, np.nan))


def two_peaks(phase: np.ndarray, force_n: np.ndarray) -> Peaks | None:
    """The largest force (T,) in either part of stance; None if one is not known at all."""
    within = [(phase >= low) & (phase < high) & np.isfinite(force_n) for low, high in (FIRST, SECOND)]
    if not all(part.any() for part in within):
        return None
    first, second = (int(np.flatnonzero(part)[force_n[part].argmax()]) for part in within)
    return Peaks(
        first_n=float(force_n[first]),
        second_n=float(force_n[second]),
        second_phase=float(phase[second]),
        second_frame=second,
    )


def _stride_contact(ready: WalkEffort, effort: Effort, stride: Stride, peaks: Peaks) -> StrideContact:
    walk, person = ready.walk, ready.walk.person
    percent = 100 / person.weight_n
    own = [i for i, name in enumerate(effort.muscles.muscle_names) if name[-1] == stride.side[0]]
    names = [effort.muscles.muscle_names[i][:-2] for i in own]
    pushes = percent * ready.muscle_pushes_n(effort, stride.side, peaks.second_frame)
    activation = effort.muscles.activation[walk.known(stride)][:, own]
    at_peak = effort.muscles.activation[peaks.second_frame, own]
    return StrideContact(
        cohort=person.cohort,
        person=person.name,
        condition=walk.condition,
        speed_m_s=walk.speed_m_s,
        first=percent * peaks.first_n,
        second=percent * peaks.second_n,
        phase=100 * peaks.second_phase,
        flexion_nm_kg=ready.flexion_moment_nm_kg(effort, stride),
        full=100 * float((activation >= FULL_ACTIVATION).mean()),
        least=100 * float((activation <= ready.low[own] + 1e-6).mean()),
        pushes=dict(zip(names, pushes[own].tolist(), strict=True)),
        activations=dict(zip(names, at_peak.tolist(), strict=True)),
        rest=percent * peaks.second_n - float(pushes.sum()),
    )


def person_table(strides: Sequence[StrideContact]) -> str:
    """A row a walk, its legs' mean, then each cohort's and condition's mean, spread and largest."""
    rows: list[list[Cell]] = []
    for group in _groups(strides):
        own = [_row(walk) for walk in _walks(group)]
        rows += own
        rows += summary_rows(f"{group[0].cohort}, {group[0].condition} ({len(own)})", own)
    return markdown(HEAD, rows, DIGITS)


def muscle_table(strides: Sequence[StrideContact], condition: str) -> str:
    """What makes the second peak, the largest first: means over strides."""
    push = {name: float(np.mean([one.pushes[name] for one in strides])) for name in strides[0].pushes}
    rows: list[list[Cell]] = [
        [name, push[name], float(np.mean([one.activations[name] for one in strides]))]
        for name in sorted(push, key=lambda name: -push[name])[:MOST_MUSCLES]
    ]
    rest = float(np.mean([one.rest for one in strides]))
    others = sum(push.values()) - sum(float(row[1]) for row in rows)
    rows += [["other muscles", others, float("nan")], ["bodies and ground", rest, float("nan")]]
    return markdown((f"second peak, {condition}", "% BW", "activation"), rows, (0, 0, 2))


def versus_table(before: Sequence[StrideContact], after: Sequence[StrideContact]) -> str:
    """Both means, over the walks that both folders could solve."""
    rows: list[list[Cell]] = []
    for group in _groups(before):
        found = {walk[0].person: _row(walk) for walk in _walks(group)}
        same = [one for one in after if one.condition == group[0].condition and one.cohort == group[0].cohort]
        others = {walk[0].person: _row(walk) for walk in _walks(same)}
        both = sorted(set(found) & set(others))
        if both:
            means = [
                [float(np.mean([float(rows_of[person][column]) for person in both])) for rows_of in (found, others)]
                for column in range(3, len(HEAD))
            ]
            cells = [
                f"{old:.{places}f} → {new:.{places}f}" for (old, new), places in zip(means, DIGITS[3:], strict=True)
            ]
            rows.append([f"{group[0].cohort}, {group[0].condition} ({len(both)})", *cells])
    return markdown(("before → after", *HEAD[3:]), rows, (0,) * (len(HEAD) - 2))


def _groups(strides: Sequence[StrideContact]) -> list[list[StrideContact]]:
    groups = defaultdict(list)
    for one in strides:
        groups[one.cohort, one.condition].append(one)
    return list(groups.values())


def _walks(strides: Sequence[StrideContact]) -> list[list[StrideContact]]:
    walks = defaultdict(list)
    for one in strides:
        walks[one.person].append(one)
    return list(walks.values())


def _row(walk: Sequence[StrideContact]) -> list[Cell]:
    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    return [
        walk[0].person,
        walk[0].condition,
        walk[0].speed_m_s,
        mean([one.first for one in walk]),
        mean([one.second for one in walk]),
        mean([one.phase for one in walk]),
        mean([one.flexion_nm_kg for one in walk]),
        *(mean([one.activations[name] for one in walk]) for name in FLEXORS),
        mean([one.full for one in walk]),
        mean([one.least for one in walk]),
    ]


if __name__ == "__main__":
    main()
