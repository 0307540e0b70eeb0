"""Muscles against their EMG: `python -m benchmarks.emg FOLDER [--versus FOLDER2]`.

FOLDER is what `python -m benchmarks.people FOLDER` made. The adults' recordings (Schreiber and Moissenet 2019, Sci Data
6:111) have eight muscles of the right leg. EMG is high-passed, rectified and low-passed; a muscle's activation, and
its force over its strength, are correlated with it over the strides whose ground reaction is known, as much later as
EMG goes before force: one delay a muscle, that of the largest mean correlation over all walks.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from benchmarks.solved_walks import SolvedWalk, sized_people, solved_walks, versus_parser
from benchmarks.tables import Cell, markdown
from pipeline.osim.log import quiet
from pipeline.records import MuscleForces, Recording

# Each channel's units of the model. The children's recordings have channels too, which are left out: most of the left
# leg's hold noise or a stuck amplifier, and one child's right gastrocnemius is the left one by its timing.
CHANNELS: dict[str, tuple[str, ...]] = {
    "R_tibialis_anterior": ("tibant_r",),
    "R_soleus": ("soleus_r",),
    "R_gastrocnemius_medialis": ("gasmed_r",),
    "R_vastus_medialis": ("vasmed_r",),
    "R_rectus_femoris": ("recfem_r",),
    "R_semitendinosus": ("semiten_r",),
    "R_gluteus_maximus": ("glmax1_r", "glmax2_r", "glmax3_r"),
    "R_gluteus_medius": ("glmed1_r", "glmed2_r", "glmed3_r"),
}
NAMES: dict[str, str] = {
    "tibant": "tibialis anterior",
    "soleus": "soleus",
    "gasmed": "gastrocnemius",
    "vasmed": "vastus medialis",
    "recfem": "rectus femoris",
    "semiten": "semitendinosus",
    "glmax1": "gluteus maximus",
    "glmed1": "gluteus medius",
}
HIGH_PASS_HZ, LOW_PASS_HZ = 30.0, 6.0
# EMG goes before force by so much, in steps of a frame's length.
DELAYS_S = np.arange(0, 0.1201, 0.01)
# A muscle is on from this share of the way between its least and its largest value on.
ON_SHARE = 0.25
# Fewer frames don't make a correlation.
FEWEST_FRAMES = 30
SOURCES = ("activation", "force")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One channel of one walk: correlations and Cohen's kappa of on and off, by source, at each of `DELAYS_S`."""

    muscle: str
    cohort: str
    person: str
    condition: str
    correlation: Mapping[str, np.ndarray]
    kappa: Mapping[str, np.ndarray]


def main() -> None:
    arguments = versus_parser(__doc__).parse_args()
    quiet()
    before = list(comparisons(arguments.folder, arguments.recipe, arguments.only))
    after = list(comparisons(arguments.versus, arguments.recipe, arguments.only)) if arguments.versus else []
    for cohort in dict.fromkeys(one.cohort for one in before):
        own = [one for one in before if one.cohort == cohort]
        print(f"{cohort}\n\n{muscle_rows(own)}\n\n{people_rows(own)}\n")
        if after:
            print(change_rows(own, [one for one in after if one.cohort == cohort]), "\n")


def comparisons(folder: Path, recipe: str, only: Sequence[str]) -> Iterator[Comparison]:
    """Every channel of every walk that can be solved."""
    for person in sized_people(folder, recipe, only):
        for walk in solved_walks(person):
            yield from compare(walk, walk.solution.muscles)


def compare(walk: SolvedWalk, muscles: MuscleForces) -> list[Comparison]:
    """A walk's channels against muscles over its muscle frames; [] without a long enough known stride."""
    recording, found = walk.observed.recording, []
    fibres = walk.person.shared.muscles.fibres
    for channel in (label for label in recording.analog_labels if label in CHANNELS):
        units = [muscles.muscle_names.index(unit) for unit in CHANNELS[channel]]
        known = np.zeros(len(muscles.time_s), dtype=bool)
        for stride in walk.observed.strides:
            if stride.side == "right":
                known |= walk.known(stride)
        if known.sum() < FEWEST_FRAMES or fibres is None:
            continue
        strength_n = fibres.strength_n[units]
        curves = {
            "activation": muscles.activation[:, units] @ strength_n / strength_n.sum(),
            "force": muscles.force_n[:, units].sum(axis=1) / strength_n.sum(),
        }
        emg = _delayed(recording, channel, muscles.time_s)[:, known]
        if not emg.std() > 0:
            continue
        found.append(
            Comparison(
                muscle=NAMES[CHANNELS[channel][0][:-2]],
                cohort=walk.person.cohort,
                person=walk.person.name,
                condition=walk.condition,
                correlation={name: np.array([correlated(e, c[known]) for e in emg]) for name, c in curves.items()},
                kappa={name: np.array([agreement(e, c[known]) for e in emg]) for name, c in curves.items()},
            )
        )
    return found


def _delayed(recording: Recording, channel: str, time_s: np.ndarray) -> np.ndarray:
    """The channel's envelope at (T,), as much earlier as each delay says, (delays, T)."""
    values = envelope(recording.analog[:, recording.analog_labels.index(channel)], recording.analog_rate_hz)
    sampled_s = recording.time_s[0] + np.arange(len(values)) / recording.analog_rate_hz
    return np.stack([np.interp(time_s - delay, sampled_s, values) for delay in DELAYS_S])


def envelope(emg: np.ndarray, rate_hz: float) -> np.ndarray:
    """High-passed, rectified, low-passed, zero-lag: (S,) to (S,)."""
    high = butter(2, HIGH_PASS_HZ, "highpass", fs=rate_hz, output="sos")
    low = butter(2, LOW_PASS_HZ, fs=rate_hz, output="sos")
    smooth: np.ndarray = sosfiltfilt(low, np.abs(sosfiltfilt(high, emg)))
    return smooth


def correlated(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation of two curves (T,); NaN where one doesn't change."""
    return float(np.corrcoef(one, other)[0, 1]) if min(one.std(), other.std()) > 1e-12 else float("nan")


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Cohen's kappa of on and off: 1 for the same frames, 0 for as many as by chance. NaN where one doesn't change."""
    on = [curve > curve.min() + ON_SHARE * np.ptp(curve) for curve in (one, other)]
    if min(np.ptp(one), np.ptp(other)) <= 1e-12:
        return float("nan")
    same = float((on[0] == on[1]).mean())
    chance = float(on[0].mean() * on[1].mean() + (1 - on[0].mean()) * (1 - on[1].mean()))
    return (same - chance) / (1 - chance)


def best_delay(found: Sequence[Comparison], source: str) -> int:
    """The place in `DELAYS_S` of the largest mean correlation."""
    return int(np.nanmean([one.correlation[source] for one in found], axis=0).argmax())


def mean_correlation(found: Sequence[Comparison], source: str = "force") -> float:
    """Over muscles, each at its own delay; NaN without any."""
    muscles = [float(np.nanmean(_at_best(own, source))) for own in _by_muscle(found).values()]
    return float(np.mean(muscles)) if muscles else float("nan")


def muscle_rows(found: Sequence[Comparison]) -> str:
    """A row a muscle: correlations and agreements of all walks at the muscle's delay."""
    rows: list[list[Cell]] = []
    for muscle, own in _by_muscle(found).items():
        row: list[Cell] = [muscle, str(len(own))]
        for source in SOURCES:
            place, values = best_delay(own, source), _at_best(own, source)
            kappa = [one.kappa[source][place] for one in own]
            row += [1e3 * DELAYS_S[place], *_figures(values), float(np.nanmean(kappa))]
        rows.append(row)
    nan = float("nan")
    means = [[nan, mean_correlation(found, source), nan, nan, nan] for source in SOURCES]
    rows.append(["mean", "", *means[0], *means[1]])
    head = ["muscle", "walks"]
    for source in SOURCES:
        head += [f"{source}: delay, ms", "r", "SD", "least", "kappa"]
    return markdown(head, rows, (0, 0, 0, 2, 2, 2, 2, 0, 2, 2, 2, 2))


def people_rows(found: Sequence[Comparison]) -> str:
    """A row a person and condition, a column a muscle: force's correlation at the muscle's delay."""
    by_muscle = _by_muscle(found)
    places = {muscle: best_delay(own, "force") for muscle, own in by_muscle.items()}
    rows: list[list[Cell]] = []
    for person, condition in dict.fromkeys((one.person, one.condition) for one in found):
        own = [one for one in found if (one.person, one.condition) == (person, condition)]
        cells: list[Cell] = []
        for muscle, place in places.items():
            values = [one.correlation["force"][place] for one in own if one.muscle == muscle]
            cells.append(float(np.mean(values)) if values else float("nan"))
        rows.append([person, condition, *cells])
    return markdown(("force against EMG, r", "", *places), rows, (0, 0, *[2] * len(places)))


def change_rows(before: Sequence[Comparison], after: Sequence[Comparison]) -> str:
    """Force's mean correlation before → after, over the walks and channels that both have."""

    def key(one: Comparison) -> tuple[str, str, str]:
        return one.person, one.condition, one.muscle

    both = {key(one) for one in before} & {key(one) for one in after}
    kept = [_by_muscle([one for one in found if key(one) in both]) for found in (before, after)]
    rows: list[list[Cell]] = [
        [muscle, str(len(own)), *(float(np.nanmean(_at_best(part[muscle], "force"))) for part in kept)]
        for muscle, own in kept[0].items()
    ]
    return markdown(("force against EMG, r", "channels", "before", "after"), rows, (0, 0, 2, 2))


def _by_muscle(found: Sequence[Comparison]) -> dict[str, list[Comparison]]:
    muscles = defaultdict(list)
    for one in found:
        muscles[one.muscle].append(one)
    return dict(muscles)


def _at_best(found: Sequence[Comparison], source: str) -> np.ndarray:
    place = best_delay(found, source)
    return np.array([one.correlation[source][place] for one in found])


def _figures(values: np.ndarray) -> list[float]:
    return [float(np.nanmean(values)), float(np.nanstd(values)), float(np.nanmin(values))]


if __name__ == "__main__":
    main()
