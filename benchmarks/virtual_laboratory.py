"""How well the chain recovers what is known exactly: `python -m benchmarks.virtual_laboratory --subjects 4`.

Makes a virtual laboratory without blemishes and one with the default ones, takes every walk of both through the
chain, and prints how many are accepted, what each rejected one had been given, and how far hip angles and moments are
from the truth.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import TrialRejected
from pipeline.markers.static_trial import StaticTrial, read_static
from pipeline.osim.log import quiet
from pipeline.process_trial import process_trial
from pipeline.records import SIDES, Side, SubjectModel
from pipeline.session.recipe import load_recipe
from pipeline.session.setup import SessionSetup, open_session
from pipeline.signals import low_pass
from pipeline.sizing.size_subject import size_subject
from pipeline.solving.trial_result import TrialResult
from pipeline.virtual.make_laboratory import make_session
from pipeline.virtual.records import MARKER_RATE_HZ
from pipeline.virtual.request import checked_request

RECIPE = "gait2hip60"
KINDS = ("degrees", "N·m", "filtered N·m")
HIP = ("hip_flexion", "hip_adduction", "hip_rotation")
# What can make a trial unusable; the others are in every trial. A gap does only if its marker is the one missed.
EVENTFUL = ("gap", "swapped_labels", "half_off_plate", "stumble")
DESERVING = ("swapped_labels", "half_off_plate", "stumble")


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What became of one walk: errors by kind and coordinate, or why it was rejected; and what it was given.

    given: eventful blemishes, each with what it was put on.
    """

    name: str
    errors: Mapping[str, Mapping[str, np.ndarray]]
    rejected: str
    given: tuple[tuple[str, str], ...]

    def undeserved(self) -> bool:
        """Whether it was rejected though nothing that it was given explains it."""
        explained = any(kind in DESERVING or (kind == "gap" and of in self.rejected) for kind, of in self.given)
        return bool(self.rejected) and not explained


def main() -> None:
    arguments = _arguments()
    quiet()
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        for blemishes in arguments.blemishes:
            print(f"\n## blemishes: {blemishes}\n", flush=True)
            _report(_walks(Path(directory) / blemishes, blemishes, arguments))


def size(setup: SessionSetup, static: StaticTrial, directory: Path) -> SubjectModel:
    """The subject's model as a file in the directory. TrialRejected if the static trial can't be used."""
    scaled, file = size_subject(setup, static), directory / "scaled.osim"
    file.write_text(scaled.osim_xml, "utf-8")
    told = tuple(figure.warning for figure in scaled.figures if figure.warning)
    return SubjectModel(file=file, scale_factors=scaled.scale_factors, warnings=told)


def errors(recovered: TrialResult, truth_file: Path) -> dict[str, dict[str, np.ndarray]]:
    """Recovered less true values over each leg's own strides, by kind and coordinate of the hip.

    "degrees" of angles, "N·m" of moments, and "filtered N·m" of moments against the truth at the chain's cut-off, which
    is the most that a chain which filters can find.
    """
    truth = pq.read_table(truth_file)
    angles, moments = recovered.solution.kinematics.coordinates, recovered.solution.moments
    found: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in KINDS}
    for side in SIDES:
        during = _during(recovered, side)
        for name in (f"{coordinate}_{side[0]}" for coordinate in HIP):
            moment_nm = truth[f"moment_{name}"].to_numpy()
            smooth_nm = low_pass(moment_nm, MARKER_RATE_HZ, load_recipe(RECIPE).markers.marker_cutoff_hz)
            angle_deg, recovered_nm = np.degrees(angles.column(name)), moments.column(name)
            pairs = ((angle_deg, truth[name].to_numpy()), (recovered_nm, moment_nm), (recovered_nm, smooth_nm))
            for kind, (ours, true) in zip(KINDS, pairs, strict=True):
                at_frames = np.interp(angles.time_s, truth["time_s"].to_numpy(), true)
                found[kind][name] = (ours - at_frames)[during]
    return found


def _during(recovered: TrialResult, side: Side) -> np.ndarray:
    """Which frames, (T,), belong to a stride of this leg."""
    time_s = recovered.solution.moments.time_s
    own = [(time_s >= one.start_s) & (time_s <= one.stop_s) for one in recovered.strides if one.side == side]
    return np.any(own, axis=0) if own else np.zeros(len(time_s), dtype=bool)


def take(folder: Path) -> Iterator[Walked]:
    """Every walk of one session, one after another, with nothing stored. RuntimeError for an unusable static trial."""
    setup = open_session(str(folder / "session.toml"), RECIPE, None)
    blemishes = pq.read_table(folder / "truth" / "blemishes.parquet")
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        try:
            static = read_static(setup)
            model = size(setup, static, Path(directory))
        except TrialRejected as refused:
            raise RuntimeError(f"{folder}: {refused}") from refused
        for trial in setup.session.trials:
            name = f"{setup.session.key.subject}/{trial.name}"
            of_trial = blemishes.filter(pc.equal(blemishes["trial"], trial.name)).to_pylist()
            given = tuple(sorted({(row["blemish"], row["of"]) for row in of_trial if row["blemish"] in EVENTFUL}))
            try:
                recovered = process_trial(setup, trial, static, model, Path(directory) / trial.name)
            except TrialRejected as refused:
                reason = f"{refused.stage}: {refused.reason}"
                yield Walked(name=name, errors={}, rejected=reason, given=given)
                continue
            found = errors(recovered, folder / "truth" / f"{trial.name}.motion.parquet")
            yield Walked(name=name, errors=found, rejected="", given=given)


def _silence() -> None:
    """OpenSim's tools print whole models."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _take_all(folder: Path) -> list[Walked]:
    return list(take(folder))


def _walks(directory: Path, blemishes: str, arguments: argparse.Namespace) -> list[Walked]:
    request = checked_request(
        directory,
        cohort=arguments.cohort,
        subjects=arguments.subjects,
        conditions=arguments.conditions,
        trials=arguments.trials,
        seed=arguments.seed,
        blemishes=blemishes,
    )
    with ProcessPoolExecutor(arguments.workers, initializer=_silence) as pool:
        began_s = time.perf_counter()
        folders = list(pool.map(partial(make_session, request), range(1, request.subjects + 1)))
        made_s = time.perf_counter()
        walks = [walk for walks in pool.map(_take_all, folders) for walk in walks]
        taken_s = time.perf_counter()
    per_walk = arguments.workers / len(walks)
    print(f"seconds of one core a walk: made in {(made_s - began_s) * per_walk:.1f}", end=", ")
    print(f"taken in {(taken_s - made_s) * per_walk:.1f}")
    return walks


def _report(walks: list[Walked]) -> None:
    kept = [walk for walk in walks if not walk.rejected]
    undeserved = sum(walk.undeserved() for walk in walks)
    print(f"accepted: {len(kept)} of {len(walks)} ({len(kept) / len(walks):.0%});", end=" ")
    print(f"rejected with no blemish that deserves it: {undeserved}")
    for walk in walks:
        if walk.rejected:
            given = ", ".join(f"{kind} ({of})" for kind, of in walk.given) or "nothing"
            print(f"- {walk.name}, {'UNDESERVED, ' * walk.undeserved()}given {given}: {walk.rejected[:200]}")
    print("\n| hip: RMS over all walks, of the worst walk, largest |", *(f" {kind} |" for kind in KINDS), sep="")
    print("|---", *("|---" for _ in KINDS), "|", sep="")
    for coordinate in HIP:
        cells = []
        for kind in KINDS:
            errors_of = [np.concatenate([walk.errors[kind][f"{coordinate}_{s[0]}"] for s in SIDES]) for walk in kept]
            together = np.concatenate(errors_of)
            worst = max(_rms(error) for error in errors_of)
            cells.append(f"{_rms(together):.2f}, {worst:.2f}, {np.abs(together).max():.1f}")
        print(f"| {coordinate} |", " | ".join(cells), "|")


def _rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error**2)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=4)
    parser.add_argument("--conditions", default="slow,med,fast")
    parser.add_argument("--trials", type=int, default=1)
    parser.add_argument("--cohort", default="healthy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blemishes", nargs="+", default=["none", "default"])
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
