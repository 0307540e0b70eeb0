"""Joint moments beside healthy adults': `python -m benchmarks.norms FOLDER [--people] [--accepted]`.

FOLDER is made by `python -m benchmarks.people FOLDER`. Its adults' hip and ankle moments are put beside those of the 24
adults of Fukuchi, Fukuchi & Duarte 2018 (PeerJ 6:e4640) at the phases that `norms/fukuchi2018_hip_moments.csv` holds:
N·m/kg, hip flexion and abduction positive, ankle plantarflexion positive. A person's legs are averaged first, so that
every mean and SD is over people. Moments are made anew from the stored body, so that a walk that a later gate refused
counts too; `--accepted` takes only those that passed.
"""

import argparse
import csv
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.walk_dynamics import DynamicWalk, dynamic_walks, moments_with
from pipeline.ground.cycles import Stride
from pipeline.osim.log import quiet
from pipeline.records import GeneralizedForces

# Norms' word for the condition, ours.
CONDITIONS = {"C": "preferred", "F": "fast"}
PERCENT = np.arange(101)
# Figure -> (coordinate without its side, sign that makes it the norms', what is taken of the curve in percent).
FIGURES = {
    "hipZ_10": ("hip_flexion", 1.0, lambda curve: curve[10]),
    "hipZ_min0_20": ("hip_flexion", 1.0, lambda curve: curve[:21].min()),
    "hipX_18": ("hip_adduction", -1.0, lambda curve: curve[18]),
    "hipZ_50": ("hip_flexion", 1.0, lambda curve: curve[50]),
    "hipZ_max40_65": ("hip_flexion", 1.0, lambda curve: curve[40:66].max()),
    "pct_of_max": ("hip_flexion", 1.0, lambda curve: 40.0 + curve[40:66].argmax()),
    "hipZ_94": ("hip_flexion", 1.0, lambda curve: curve[94]),
    "ankleZ_max": ("ankle_angle", -1.0, lambda curve: curve.max()),
    # What the norms' table does not hold: ours alone.
    "ankleZ_10": ("ankle_angle", -1.0, lambda curve: curve[10]),
    "ankleZ_18": ("ankle_angle", -1.0, lambda curve: curve[18]),
    "ankleZ_50": ("ankle_angle", -1.0, lambda curve: curve[50]),
}
MEANING = {
    "hipZ_10": "hip flexion at 10 %",
    "hipZ_min0_20": "hip flexion, least of 0-20 %",
    "hipX_18": "hip abduction at 18 %",
    "hipZ_50": "hip flexion at 50 %",
    "hipZ_max40_65": "hip flexion, most of 40-65 %",
    "pct_of_max": "  at, % of the cycle",
    "hipZ_94": "hip flexion at 94 %",
    "ankleZ_max": "ankle plantarflexion, most",
    "ankleZ_10": "ankle plantarflexion at 10 %",
    "ankleZ_18": "ankle plantarflexion at 18 %",
    "ankleZ_50": "ankle plantarflexion at 50 %",
}


def main() -> None:
    arguments = _arguments()
    quiet()
    norms = read_norms(arguments.data / "norms" / "fukuchi2018_hip_moments.csv")
    found: dict[str, dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
    speeds: dict[str, list[float]] = defaultdict(list)
    for walk in dynamic_walks(arguments.folder):
        if walk.cohort == "adults" and (walk.accepted or not arguments.accepted):
            found[walk.trial.condition][walk.subject] += leg_figures(walk)
            speeds[walk.trial.condition].append(pelvis_speed_m_s(walk))
    for condition in CONDITIONS.values():
        people = {name: mean_figures(legs) for name, legs in found[condition].items() if legs}
        speed_m_s, others = np.mean(speeds[condition]), len(norms[condition])
        print(f"\n{condition}: {len(people)} adults at {speed_m_s:.2f} m/s, beside {others}")
        for line in table(norms[condition], people, by_person=arguments.people):
            print(line)


def read_norms(file: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Condition -> person -> figure, a person's legs averaged; a figure that no leg has is NaN."""
    legs: dict[str, dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
    with file.open(newline="") as rows:
        for row in csv.DictReader(rows):
            figures = {name: float(row[name]) if row.get(name) else float("nan") for name in FIGURES}
            legs[CONDITIONS[row["condition"]]][row["subject"]].append(figures)
    return {
        condition: {person: mean_figures(of) for person, of in people.items()} for condition, people in legs.items()
    }


def leg_figures(walk: DynamicWalk) -> list[dict[str, float]]:
    """The figures of each complete stride, N·m/kg; empty without one."""
    moments = moments_with(walk, walk.observed.wrenches)
    return [stride_figures(moments, stride, walk.mass_kg) for stride in walk.observed.strides]


def stride_figures(moments: GeneralizedForces, stride: Stride, mass_kg: float) -> dict[str, float]:
    """One stride's figures, N·m/kg, percent for a place in the cycle."""
    figures = {}
    for name, (coordinate, sign, of) in FIGURES.items():
        at_s = stride.start_s + PERCENT / 100 * stride.duration_s
        curve = np.interp(at_s, moments.time_s, moments.column(f"{coordinate}_{stride.side[0]}"))
        figures[name] = float(of(sign * curve / mass_kg))
    return figures


def mean_figures(of: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Each figure's mean over those that have it; NaN if none has."""
    each = list(of)
    means = {}
    for name in FIGURES:
        values = np.array([figures[name] for figures in each])
        means[name] = float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else float("nan")
    return means


def pelvis_speed_m_s(walk: DynamicWalk) -> float:
    """Mean forward speed of the pelvis over the observed frames."""
    forward = walk.coordinates.column("pelvis_tx")
    return float((forward[-1] - forward[0]) / (walk.coordinates.time_s[-1] - walk.coordinates.time_s[0]))


def table(
    norms: Mapping[str, Mapping[str, float]], people: Mapping[str, Mapping[str, float]], *, by_person: bool
) -> list[str]:
    """Lines for people to read: mean and SD of both groups, and the difference in the norms' SD."""
    lines = [f"{'':30} {'norms':>15} {'n':>3} {'ours':>15} {'n':>3} {'in SD':>6}"]
    for name, meaning in MEANING.items():
        theirs, ours = (_finite(group, name) for group in (norms, people))
        apart = (ours.mean() - theirs.mean()) / theirs.std(ddof=1) if len(theirs) > 1 and len(ours) else None
        in_sd = "-" if apart is None else f"{apart:+.1f}"
        lines.append(f"{meaning:30} {_mean_sd(theirs)} {len(theirs):3} {_mean_sd(ours)} {len(ours):3} {in_sd:>6}")
        if by_person:
            lines.append("  " + ", ".join(f"{person} {figures[name]:.2f}" for person, figures in people.items()))
    return lines


def _finite(people: Mapping[str, Mapping[str, float]], name: str) -> np.ndarray:
    values = np.array([figures[name] for figures in people.values()])
    return values[np.isfinite(values)]


def _mean_sd(values: np.ndarray) -> str:
    if not len(values):
        return f"{'-':>15}"
    spread = f"{values.std(ddof=1):.3f}" if len(values) > 1 else "-"
    return f"{values.mean():+7.3f} ±{spread:>6}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what benchmarks.people made")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("GAIT2HIP_TEST_DATA", "../shared/data")))
    parser.add_argument("--people", action="store_true", help="each person's figures too")
    parser.add_argument("--accepted", action="store_true", help="only walks that passed every gate")
    return parser.parse_args()


if __name__ == "__main__":
    main()
