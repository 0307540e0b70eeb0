"""How well the chain recovers what is known exactly: `python -m benchmarks.virtual_laboratory --subjects 4`.

Makes a virtual laboratory without blemishes and one with the default ones, takes every walk of both through the
chain up to inverse dynamics, and prints how many are accepted, what each rejected one had been given, and how far
hip angles and moments are from the truth. Static optimization, which costs most and changes neither, is left out.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.cycles import Stride, complete_strides, frames_of
from pipeline.errors import TrialRejected
from pipeline.ground_reactions import ground_reactions
from pipeline.job import Job, open_job
from pipeline.osim.engines import load_engine
from pipeline.osim.log import quiet
from pipeline.prepare_session import prepare_session
from pipeline.quality import judge_trial
from pipeline.read_c3d import read_c3d
from pipeline.recipe import load_recipe
from pipeline.records import SIDES, Coordinates, GeneralizedForces, Side
from pipeline.same_person import check_subject_blocks
from pipeline.session import Trial
from pipeline.signals import low_pass
from pipeline.solve import Solution
from pipeline.trajectories import trajectories
from pipeline.virtual.make_laboratory import make_laboratory
from pipeline.virtual.records import MARKER_RATE_HZ
from pipeline.virtual.request import checked_request
from warehouse.read import read_scaled_model

RECIPE = "gait2hip60"
KINDS = ("degrees", "N·m", "filtered N·m")
HIP = ("hip_flexion", "hip_adduction", "hip_rotation")
MARGIN_FRAMES = 20
# What can make a trial unusable; the others are in every trial.
EVENTFUL = ("gap", "swapped_labels", "half_off_plate", "stumble")


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """A walk as the chain finds it, up to inverse dynamics, and the strides that would give targets."""

    coordinates: Coordinates
    moments: GeneralizedForces
    strides: tuple[Stride, ...]
    marker_error_m: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What became of one walk: errors by kind and coordinate, or why it was rejected; and what it was given."""

    name: str
    errors: Mapping[str, Mapping[str, np.ndarray]]
    rejected: str
    given: tuple[str, ...]


def main() -> None:
    arguments = _arguments()
    quiet()
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        for blemishes in arguments.blemishes:
            print(f"\n## blemishes: {blemishes}\n", flush=True)
            _report(_walks(Path(directory) / blemishes, blemishes, arguments))


def recover(job: Job, trial: Trial, directory: Path, most_strides: int | None = None) -> Recovered:
    """The chain's own steps as in `pipeline.process_trial.compute`, without muscles. TrialRejected as there.

    Only the strides are solved, at most so many, with a margin for the filter: poses don't depend on one another.
    """
    recipe, profile, subject = job.recipe, job.profile, job.session.subject
    recording, static = read_c3d(trial.path), read_c3d(job.session.static)
    check_subject_blocks(recording, static, subject)
    tracks = trajectories(recording, static, profile, recipe)
    ground = ground_reactions(recording, tracks, profile, subject.mass_kg, recipe.ground_reactions)
    markers = tracks.smooth.cut(tracks.window)
    wrenches = {side: ground.wrenches[side].cut(tracks.window) for side in SIDES}
    strides, refused = complete_strides(markers.time_s, wrenches, ground.events, recipe.cycles)
    if not strides:
        raise TrialRejected("cycles", f"{trial.name}: {'; '.join(refused)}")
    strides = strides[:most_strides]
    around = frames_of(strides, markers.time_s)
    around = slice(max(0, around.start - MARGIN_FRAMES), around.stop + MARGIN_FRAMES)
    markers = markers.cut(around)
    wrenches = {side: wrenches[side].cut(around) for side in SIDES}
    model = directory / "scaled.osim"
    model.write_text(read_scaled_model(job.warehouse, job.session.key), "utf-8")
    engine = load_engine(recipe.model.engine)
    weights = {label: profile.markers[label].ik_weight for label in markers.labels}
    accuracy = recipe.inverse_kinematics.ik_accuracy
    found = engine.inverse_kinematics(
        model, markers, marker_weights=weights, accuracy=accuracy, directory=directory / "ik"
    ).judged_by([label for label, marker in profile.markers.items() if not marker.guide])
    values = low_pass(found.coordinates.values, markers.rate_hz, recipe.inverse_dynamics.coordinate_cutoff_hz)
    coordinates = Coordinates(
        time_s=found.coordinates.time_s,
        names=found.coordinates.names,
        rotational=found.coordinates.rotational,
        values=values,
    )
    bodies = {"right": recipe.model.right_foot_body, "left": recipe.model.left_foot_body}
    moments = engine.inverse_dynamics(
        model, coordinates, list(wrenches.values()), foot_bodies=bodies, lowpass_hz=None, directory=directory / "id"
    )
    frames = frames_of(strides, markers.time_s)
    solution = Solution(kinematics=found, moments=moments, muscles=None, balance=None, frames=frames)
    judge_trial(solution, wrenches, subject, trial.name, recipe.quality)
    return Recovered(coordinates=coordinates, moments=moments, strides=strides, marker_error_m=found.marker_error_m)


def errors(recovered: Recovered, truth_file: Path) -> dict[str, dict[str, np.ndarray]]:
    """Recovered less true values over each leg's own strides, by kind and coordinate of the hip.

    "degrees" of angles, "N·m" of moments, and "filtered N·m" of moments against the truth at the chain's cut-off, which
    is the most that a chain which filters can find.
    """
    truth = pq.read_table(truth_file)
    found: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in KINDS}
    for side in SIDES:
        during = _during(recovered, side)
        for name in (f"{coordinate}_{side[0]}" for coordinate in HIP):
            moment_nm = truth[f"moment_{name}"].to_numpy()
            smooth_nm = low_pass(moment_nm, MARKER_RATE_HZ, load_recipe(RECIPE).markers.marker_cutoff_hz)
            angle_deg, recovered_nm = np.degrees(recovered.coordinates.column(name)), recovered.moments.column(name)
            pairs = ((angle_deg, truth[name].to_numpy()), (recovered_nm, moment_nm), (recovered_nm, smooth_nm))
            for kind, (ours, true) in zip(KINDS, pairs, strict=True):
                at_frames = np.interp(recovered.coordinates.time_s, truth["time_s"].to_numpy(), true)
                found[kind][name] = (ours - at_frames)[during]
    return found


def _during(recovered: Recovered, side: Side) -> np.ndarray:
    """Which frames, (T,), belong to a stride of this leg."""
    time_s = recovered.coordinates.time_s
    own = [(time_s >= one.start_s) & (time_s <= one.stop_s) for one in recovered.strides if one.side == side]
    return np.any(own, axis=0) if own else np.zeros(len(time_s), dtype=bool)


def take(folder: Path, warehouse: Path) -> Iterator[Walked]:
    """Every walk of one session, one after another."""
    session_file, root = str(folder / "session.toml"), str(warehouse)
    prepared = prepare_session(session_file, RECIPE, None, root)
    if prepared.reason:
        raise RuntimeError(f"{folder}: {prepared.reason}")
    job = open_job(session_file, RECIPE, None, root)
    blemishes = pq.read_table(folder / "truth" / "blemishes.parquet")
    for trial in job.session.trials:
        of_trial = blemishes.filter(pc.equal(blemishes["trial"], trial.name)).to_pylist()
        given = tuple(sorted({f"{row['blemish']} ({row['of']})" for row in of_trial if row["blemish"] in EVENTFUL}))
        with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
            try:
                recovered = recover(job, trial, Path(directory))
            except TrialRejected as refused:
                reason = f"{refused.stage}: {refused.reason}"
                yield Walked(name=trial.name, errors={}, rejected=reason, given=given)
                continue
        found = errors(recovered, folder / "truth" / f"{trial.name}.motion.parquet")
        yield Walked(name=trial.name, errors=found, rejected="", given=given)


def _silence() -> None:
    """OpenSim's tools print whole models."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _take_all(folder: Path, warehouse: Path) -> list[Walked]:
    return list(take(folder, warehouse))


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
    began_s = time.perf_counter()
    folders = make_laboratory(request, on_session=lambda _: None)
    made_s = time.perf_counter()
    warehouse = directory.with_name(f"{directory.name}-warehouse")
    with ProcessPoolExecutor(arguments.workers, initializer=_silence) as pool:
        walks = [walk for walks in pool.map(_take_all, folders, [warehouse] * len(folders)) for walk in walks]
    print(f"made in {(made_s - began_s) / len(walks):.2f} s a walk, taken in", end=" ")
    print(f"{(time.perf_counter() - made_s) * arguments.workers / len(walks):.1f} s of one core a walk")
    return walks


def _report(walks: list[Walked]) -> None:
    kept = [walk for walk in walks if not walk.rejected]
    print(f"accepted: {len(kept)} of {len(walks)} ({len(kept) / len(walks):.0%})")
    for walk in walks:
        if walk.rejected:
            print(f"- {walk.name}, given {', '.join(walk.given) or 'NOTHING'}: {walk.rejected[:200]}")
    print(
        "\n| hip, RMS (largest) |", *(f" {kind} |" for kind in KINDS), "\n|---", *("|---" for _ in KINDS), "|", sep=""
    )
    for coordinate in HIP:
        cells = []
        for kind in KINDS:
            of_sides = [walk.errors[kind][f"{coordinate}_{side[0]}"] for walk in kept for side in SIDES]
            error = np.concatenate(of_sides)
            cells.append(f"{_rms(error):.2f} ({np.abs(error).max():.1f})")
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
