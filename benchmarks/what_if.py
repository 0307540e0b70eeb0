"""What would bring the hip's second contact peak down: `python -m benchmarks.what_if FOLDER [--only ID ...]`.

FOLDER is what `python -m benchmarks.people FOLDER` made. Static optimization is solved again with one thing changed at
a time, and a few together. For each: both peaks of the hip's contact force, flexors' activations at the second, and
the correlation of right legs' forces with their EMG (`benchmarks/emg.py`). Then what no sharing of effort can go
below, and the model's moment arms on these people's bodies.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.efforts import AS_IS, Change, Effort, WalkEffort
from benchmarks.emg import Comparison, compare, mean_correlation
from benchmarks.hip_contact import FLEXORS, peaks_of
from benchmarks.muscle_volumes import strengths_by_volume
from benchmarks.solved_walks import SizedPerson, people_parser, sized_people, solved_walks
from benchmarks.tables import Cell, markdown
from pipeline.mechanics.muscles.paths import muscle_paths
from pipeline.osim.log import quiet
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.models.shared_model import SharedModel, read_shared_model

# Healthy adults' hip flexion moment at half the stride, N·m/kg (Fukuchi et al. 2018, PeerJ 6:e4640).
NORMAL_FLEXION = {"preferred": 0.62, "free": 0.62, "fast": 0.81}
ARMS = ("psoas", "iliacus", "recfem", "tfl", "sart", "addlong", "glmed1", "glmax2", "semimem")
HIP_DEG = (-30, -20, -10, 0, 20, 40)
WITHOUT_FLOOR = "no least activation"
# Of these, what no sharing of effort can go below is told too.
BOUNDED = ("as it is", "plates 10 ms earlier", "flexion moment as healthy adults'")


@dataclass
class Tally:
    """A variant's figures over strides of one cohort and condition, forces in percent of body weight."""

    first: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    flexion: list[float] = field(default_factory=list)
    activations: list[list[float]] = field(default_factory=list)
    emg: list[Comparison] = field(default_factory=list)


def main() -> None:
    arguments = people_parser(__doc__).parse_args()
    quiet()
    generic = read_shared_model(model_file_of(None))
    tallies: dict[tuple[str, str], dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    bounds: dict[tuple[str, str, str], list[tuple[float, float, float]]] = defaultdict(list)
    arms: dict[str, list[np.ndarray]] = defaultdict(list)
    for person in sized_people(arguments.folder, arguments.recipe, arguments.only):
        arms[person.cohort].append(flexion_arms_mm(person.shared))
        for walk in solved_walks(person):
            group, ready = (person.cohort, walk.condition), WalkEffort.of(walk)
            for name, change in variants(person, generic, walk.condition).items():
                effort = ready.solve(change)
                add(tallies[group][name], ready, effort)
                if name in BOUNDED:
                    bounds[*group, name] += least_contacts(ready, effort)
    for (cohort, condition), by_name in tallies.items():
        print(f"{cohort}, {condition}\n\n{variant_table(by_name)}\n")
    print(bound_table(bounds), "\n")
    print(arm_table(flexion_arms_mm(generic), arms))


def variants(person: SizedPerson, generic: SharedModel, condition: str) -> Mapping[str, Change]:
    """What is tried, by name."""
    fibres, own = generic.muscles.fibres, person.shared.muscles.fibres
    assert fibres is not None and own is not None, "the built-in model's fibres are arrays"
    by_volume = strengths_by_volume(
        generic.summary.muscles,
        fibres.strength_n,
        fibres.optimal_m,
        own.optimal_m,
        mass_kg=person.mass_kg,
        height_m=person.setup.session.subject.height_m,
    )
    volume, floorless = Change(by_volume=True), Change(least_activation=0.0)
    both = replace(volume, least_activation=0.0)
    normal = Change(flexion_at_half_nm_kg=NORMAL_FLEXION.get(condition))
    return {
        "as it is": AS_IS,
        "strength by volume": Change(strength_n=by_volume),
        "twice the strength": Change(strength_n=2 * own.strength_n),
        "passive fibre force": Change(passive=True),
        "exponent 3": Change(exponent=3),
        "stress, exponent 3": Change(exponent=3, stress=True),
        "effort by volume": volume,
        WITHOUT_FLOOR: floorless,
        "effort by volume, no least activation": both,
        "strength and effort by volume, no least activation": replace(both, strength_n=by_volume),
        "plates 5 ms earlier": Change(plates_earlier_s=0.005),
        "plates 10 ms earlier": Change(plates_earlier_s=0.010),
        "plates 20 ms earlier": Change(plates_earlier_s=0.020),
        "hip centre 10 mm forward, muscles' arms as they are": Change(hip_forward_m=0.010),
        "plates 10 ms earlier, effort by volume, no least activation": replace(both, plates_earlier_s=0.010),
        "flexion moment as healthy adults'": normal,
        "… effort by volume, no least activation": replace(both, flexion_at_half_nm_kg=normal.flexion_at_half_nm_kg),
    }


def add(tally: Tally, ready: WalkEffort, effort: Effort) -> None:
    """Count a walk's strides, and its right leg's EMG."""
    walk, names = ready.walk, effort.muscles.muscle_names
    percent = 100 / walk.person.weight_n
    for stride in walk.observed.strides:
        peaks = peaks_of(walk, effort, stride)
        if peaks is not None:
            flexors = [names.index(f"{name}_{stride.side[0]}") for name in FLEXORS]
            tally.first.append(percent * peaks.first_n)
            tally.second.append(percent * peaks.second_n)
            tally.flexion.append(ready.flexion_moment_nm_kg(effort, stride))
            tally.activations.append(effort.muscles.activation[peaks.second_frame, flexors].tolist())
    tally.emg += compare(walk, effort.muscles)


def least_contacts(ready: WalkEffort, effort: Effort) -> list[tuple[float, float, float]]:
    """Each stride's second peak, and what any sharing of effort leaves of it: with the least activation, without."""
    found, walk = [], ready.walk
    percent = 100 / walk.person.weight_n
    for stride in walk.observed.strides:
        peaks = peaks_of(walk, effort, stride)
        if peaks is not None:
            least = [ready.least_contact_n(effort, stride.side, peaks.second_frame, floor) for floor in (None, 0.0)]
            found.append((percent * peaks.second_n, percent * least[0], percent * least[1]))
    return found


def flexion_arms_mm(shared: SharedModel) -> np.ndarray:
    """Arms about the right hip's flexion axis, (angles, muscles), at `HIP_DEG`, everything else at its default."""
    paths = shared.muscles.paths
    assert paths is not None, "the built-in model's paths are arrays"
    column = shared.names.index("hip_flexion_r")
    poses = np.tile(shared.skeleton.default, (len(HIP_DEG), 1))
    poses[:, column] = np.radians(HIP_DEG)
    per_newton = muscle_paths(shared.skeleton.tree, paths, poses, np.zeros(poses.shape)).per_newton
    muscles = [shared.summary.muscles.index(f"{name}_r") for name in ARMS]
    return 1e3 * per_newton[:, muscles, column]


def variant_table(by_name: Mapping[str, Tally]) -> str:
    """A row a variant."""
    head = (
        "", "first peak, % BW", "second peak, % BW", "SD", "flexion moment at 50 %, N·m/kg", *FLEXORS, "r with EMG",
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            name,
            float(np.mean(tally.first)),
            float(np.mean(tally.second)),
            float(np.std(tally.second)),
            float(np.mean(tally.flexion)),
            *np.mean(tally.activations, axis=0).tolist(),
            mean_correlation(tally.emg),
        ]
        for name, tally in by_name.items()
    ]
    return markdown(head, rows, (0, 0, 0, 0, 2, 2, 2, 2, 2))


def bound_table(bounds: Mapping[tuple[str, str, str], Sequence[tuple[float, float, float]]]) -> str:
    """What the moments alone ask for."""
    head = ("second peak, % BW", "", "found", "any sharing of effort, at least", WITHOUT_FLOOR)
    rows: list[list[Cell]] = [
        [f"{cohort}, {condition} ({len(found)} strides)", name, *np.nanmean(found, axis=0).tolist()]
        for (cohort, condition, name), found in sorted(bounds.items())
    ]
    return markdown(head, rows, (0,) * len(head))


def arm_table(generic: np.ndarray, arms: Mapping[str, Sequence[np.ndarray]]) -> str:
    """Arms of the generic model and each cohort's mean, by angle."""
    rows: list[list[Cell]] = []
    for index, name in enumerate(ARMS):
        rows.append([name, "generic", *generic[:, index].tolist()])
        rows += [[name, cohort, *np.mean(every, axis=0)[:, index].tolist()] for cohort, every in arms.items()]
    head = ("hip flexion arm, mm (flexor positive)", "body", *(f"{angle}°" for angle in HIP_DEG))
    return markdown(head, rows, (0,) * len(head))


if __name__ == "__main__":
    main()
