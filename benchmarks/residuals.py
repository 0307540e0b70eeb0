"""Bodies against plates: `python -m benchmarks.residuals FOLDER [AFTER] [--earlier-ms MS]`.

FOLDER is made by `python -m benchmarks.people FOLDER`, and so is AFTER, with other bodies of the same people; without
it, `--earlier-ms` compares with the plates taken so much earlier. Of every walk: what its motion needs from the ground,
without plates, against what the plates gave where all that acts on both feet is known. Normalised as Hicks et al. 2015
do (J Biomech Eng 137:020905), who ask for forces within 5 % of the largest external force, and for moments within 1 %
of that times the mass centre's height. Then the hip flexion moment, N·m/kg, if a foot took what the motion needs beyond
the other foot, less the one by the plates: whole residuals put on one leg.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.walk_dynamics import (
    DynamicWalk,
    NeededWrench,
    dynamic_walks,
    given_wrench,
    moments_with,
    needed_wrench,
    with_plates_taken,
)
from pipeline.osim.log import quiet
from pipeline.records import SIDES, FootWrench, Side

PERCENTS = (20, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """Root mean square and peak of the force that is left, % of the largest external force; of the moment about the
    mass centre, % of that force times the mass centre's mean height. NaN without a frame in which all is known.
    """

    force_rms: float
    force_peak: float
    moment_rms: float
    moment_peak: float

    def as_row(self) -> tuple[float, ...]:
        """The four figures in order."""
        return astuple(self)


def main() -> None:
    arguments = _arguments()
    quiet()
    before = _table(arguments.folder, arguments.only)
    after = {}
    if arguments.after or arguments.earlier_ms:
        after = _table(arguments.after or arguments.folder, arguments.only, arguments.earlier_ms / 1e3)
    heads = ("force rms", "peak", "moment rms", "peak", *(f"hip at {percent} %" for percent in PERCENTS))
    print(f"{'':28} " + " ".join(f"{head:>18}" for head in heads))
    groups: dict[str, list[str]] = defaultdict(list)
    for name, (group, _) in {**after, **before}.items():
        groups[group].append(name)
    for group, names in groups.items():
        for name in names:
            print(f"{name:28} " + _cells(before.get(name), after.get(name) if after else None))
        # Before and after of the same walks.
        both = [name for name in names if name in before and (name in after or not after)]
        means = [
            (group, np.nanmean([table[name][1] for name in both], axis=0)) if both and table else None
            for table in (before, after)
        ]
        print(f"{group + f', {len(both)} walks':28} " + _cells(*means) + "\n")


def residuals_of(needed: NeededWrench, wrenches: Mapping[Side, FootWrench]) -> Residuals:
    """What is left between a motion's needs and these ground reactions."""
    known = np.logical_and.reduce([wrenches[side].known for side in SIDES])
    if not known.any():
        return Residuals(force_rms=np.nan, force_peak=np.nan, moment_rms=np.nan, moment_peak=np.nan)
    force_n, moment_nm = given_wrench(wrenches)
    left_n = needed.force_n - force_n
    left_nm = needed.moment_nm - moment_nm - np.cross(needed.mass_centre_m, left_n)
    most_n = np.linalg.norm(force_n[known], axis=1).max()
    most_nm = most_n * needed.mass_centre_m[known, 1].mean()
    force, moment = (np.linalg.norm(left[known], axis=1) for left in (left_n, left_nm))
    return Residuals(
        force_rms=float(100 * np.sqrt(np.mean(force**2)) / most_n),
        force_peak=float(100 * force.max() / most_n),
        moment_rms=float(100 * np.sqrt(np.mean(moment**2)) / most_nm),
        moment_peak=float(100 * moment.max() / most_nm),
    )


def hip_by_dynamics(walk: DynamicWalk, needed: NeededWrench, wrenches: Mapping[Side, FootWrench]) -> dict[int, float]:
    """Hip flexion moment with the foot's reaction from whole-body dynamics, less the plates', N·m/kg, by percent."""
    plates = moments_with(walk, wrenches)
    known = np.logical_and.reduce([wrenches[side].known for side in SIDES])
    found: dict[int, list[float]] = {percent: [] for percent in PERCENTS}
    for stride in walk.observed.strides:
        other: Side = "left" if stride.side == "right" else "right"
        own, name = wrenches[stride.side], f"hip_flexion_{stride.side[0]}"
        force_n, moment_nm = given_wrench({other: wrenches[other]})
        taken_n = needed.force_n - force_n
        taken_nm = needed.moment_nm - moment_nm - np.cross(own.point_m, taken_n)
        free = moments_with(walk, {**wrenches, stride.side: replace(own, force_n=taken_n, moment_nm=taken_nm)})
        for percent in PERCENTS:
            frame = int(np.argmin(np.abs(plates.time_s - stride.start_s - percent / 100 * stride.duration_s)))
            if known[frame]:
                apart = free.column(name)[frame] - plates.column(name)[frame]
                found[percent].append(float(apart / walk.mass_kg))
    return {percent: float(np.mean(values)) if values else float("nan") for percent, values in found.items()}


def _table(folder: Path, only: Sequence[str] | None, earlier_s: float = 0.0) -> dict[str, tuple[str, np.ndarray]]:
    """By walk: its group, and the figures."""
    rows = {}
    for walk in dynamic_walks(folder, only):
        needed = needed_wrench(walk)
        wrenches = with_plates_taken(walk, earlier_s) if earlier_s else walk.observed.wrenches
        figures = (*residuals_of(needed, wrenches).as_row(), *hip_by_dynamics(walk, needed, wrenches).values())
        rows[walk.trial.name] = (f"{walk.cohort} {walk.trial.condition}", np.array(figures))
    return rows


def _cells(before: tuple[str, np.ndarray] | None, after: tuple[str, np.ndarray] | None) -> str:
    nothing = np.full(4 + len(PERCENTS), np.nan)
    first = before[1] if before else nothing
    if after is None:
        return " ".join(f"{value:18.2f}" for value in first)
    return " ".join(f"{value:8.2f} -> {then:6.2f}" for value, then in zip(first, after[1], strict=True))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what benchmarks.people made")
    parser.add_argument("after", type=Path, nargs="?", help="the same people with other bodies")
    parser.add_argument("--earlier-ms", type=float, default=0.0, metavar="MS", help="after: plates earlier by this")
    parser.add_argument("--only", nargs="*", metavar="ID", help="these people")
    return parser.parse_args()


if __name__ == "__main__":
    main()
