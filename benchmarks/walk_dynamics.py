"""Walks of a benchmark's folder with their whole-body dynamics: what norms, plate lags and residuals are computed from.

Every walk whose markers can be followed is taken, whatever the gates said of it: `accepted` tells. Nothing is written.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.ground_reactions import ground_reactions
from pipeline.ground.observe_walk import ObservedWalk, observe_walk
from pipeline.ground.plate_lag import sampled_plate
from pipeline.markers.static_trial import StaticTrial, read_static
from pipeline.mechanics.bodies.newton_euler import joint_forces
from pipeline.osim.engines import load_engine
from pipeline.osim.ground_wrenches import bodies_pushed, wrenches_about_origin
from pipeline.osim.models.mechanics import Mechanics
from pipeline.osim.models.shared_model import shared_model
from pipeline.osim.motion import differentiated, natural_spline
from pipeline.records import SIDES, Coordinates, FootWrench, GeneralizedForces, Side
from pipeline.session.recipe import PACKAGED_RECIPE
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup, open_session
from pipeline.solving.solve import foot_bodies, joint_kinematics, without_jitter
from pipeline.virtual.dynamics.ground_wrench import ground_wrench
from warehouse.errors import WarehouseError
from warehouse.files.read import read_row, read_scaled_model
from warehouse.layout import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicWalk:
    """One walk with its model's motion. `coordinates` are as they are differentiated, over the observed frames."""

    setup: SessionSetup
    trial: Trial
    static: StaticTrial
    model: Path
    observed: ObservedWalk
    coordinates: Coordinates
    accepted: bool

    @property
    def subject(self) -> str:
        """The subject's code."""
        return self.setup.session.subject.id

    @property
    def cohort(self) -> str:
        """The group that the subject belongs to."""
        return self.setup.session.key.cohort

    @property
    def mass_kg(self) -> float:
        """Body mass."""
        return self.setup.session.subject.mass_kg

    @property
    def known(self) -> np.ndarray:
        """The frames (T,) in which the plates measured all that acts on both feet."""
        return np.logical_and.reduce([self.observed.wrenches[side].known for side in SIDES])


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededWrench:
    """What the motion needs from the ground: force_n and moment_nm about the origin, (T, 3); mass_centre_m (T, 3)."""

    force_n: np.ndarray
    moment_nm: np.ndarray
    mass_centre_m: np.ndarray


def dynamic_walks(folder: Path, only: Sequence[str] | None = None) -> Iterator[DynamicWalk]:
    """The walks of FOLDER's sessions in order; one that can't be used is printed with its reason and left out.

    ValueError if the folder holds no session.
    """
    files = sorted((folder / "sessions").glob("*.toml"))
    if not files:
        raise ValueError(
            f"{folder / 'sessions'} holds no session. Make it with `python -m benchmarks.people {folder}`."
        )
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        for file in files:
            if not only or file.stem in only:
                yield from _of_session(file, Warehouse(str((folder / "warehouse").absolute())), Path(name))


def _of_session(file: Path, warehouse: Warehouse, scratch: Path) -> Iterator[DynamicWalk]:
    setup = open_session(str(file), PACKAGED_RECIPE, None)
    try:
        text = read_scaled_model(warehouse, setup.session.key)
    except WarehouseError as missing:
        print(f"{file.stem}: left out, {missing}")
        return
    model = scratch / f"{file.stem}.osim"
    model.write_text(text, "utf-8")
    static = read_static(setup)
    for trial in setup.session.trials:
        try:
            observed = observe_walk(setup, trial, static)
            coordinates = _coordinates(setup, model, observed)
        except TrialRejected as rejected:
            print(f"{trial.name}: left out at {rejected.stage}, {rejected.reason}")
            continue
        yield DynamicWalk(
            setup=setup,
            trial=trial,
            static=static,
            model=model,
            observed=observed,
            coordinates=coordinates,
            accepted=_accepted(warehouse, setup, trial),
        )


def _coordinates(setup: SessionSetup, model: Path, observed: ObservedWalk) -> Coordinates:
    """The motion as it is differentiated. TrialRejected if the markers can't be followed."""
    recipe = setup.recipe
    engine = load_engine(recipe.model.engine)
    kinematics = joint_kinematics(engine, model, observed.markers, setup.profile, recipe, model.parent / "ik")
    return without_jitter(kinematics.coordinates, recipe.inverse_dynamics.coordinate_cutoff_hz)


def _accepted(warehouse: Warehouse, setup: SessionSetup, trial: Trial) -> bool:
    try:
        return read_row(warehouse, "trials", setup.session.trial_key(trial.name))["outcome"] == "accepted"
    except WarehouseError:
        return False


def moments_with(walk: DynamicWalk, wrenches: Mapping[Side, FootWrench]) -> GeneralizedForces:
    """Inverse dynamics of the walk's motion with these ground reactions, over the observed frames."""
    recipe = walk.setup.recipe
    return load_engine(recipe.model.engine).inverse_dynamics(
        walk.model,
        walk.coordinates,
        list(wrenches.values()),
        foot_bodies=foot_bodies(recipe),
        mechanics=recipe.model.mechanics_used,
        directory=walk.model.parent / "id",
    )


def needed_wrench(walk: DynamicWalk) -> NeededWrench:
    """What the walk's motion needs from the ground, at the observed frames, by the model's masses."""
    mechanics = Mechanics(walk.model)
    columns = [walk.coordinates.names.index(name) for name in mechanics.names]
    time_s, values = walk.coordinates.time_s, walk.coordinates.values[:, columns]
    spline = natural_spline(time_s, values)
    forces = mechanics.generalized_forces(values, spline(time_s, 1), spline(time_s, 2))
    wrench = ground_wrench(mechanics, values, forces)
    return NeededWrench(force_n=wrench[:, 3:], moment_nm=wrench[:, :3], mass_centre_m=mechanics.mass_centre_m(values))


def with_plates_taken(walk: DynamicWalk, earlier_s: float) -> dict[Side, FootWrench]:
    """The walk's ground reactions with its plates taken earlier, over the same frames; an end stands still."""
    recording, setup = walk.observed.recording, walk.setup
    at = np.arange(len(recording.analog)) + earlier_s * recording.analog_rate_hz
    moved = replace(recording, plates=tuple(sampled_plate(plate, at) for plate in recording.plates))
    tracks = walk.observed.tracks
    ground = ground_reactions(moved, tracks, setup.profile, walk.mass_kg, setup.recipe.ground_reactions)
    return {side: ground.wrenches[side].cut(tracks.window) for side in SIDES}


def resolved(walk: DynamicWalk, *, cutoff_hz: float) -> DynamicWalk:
    """The same walk and body, markers and forces low-passed at another cut-off."""
    recipe = walk.setup.recipe
    recipe = recipe.model_copy(
        update={
            "markers": recipe.markers.model_copy(update={"marker_cutoff_hz": cutoff_hz}),
            "ground_reactions": recipe.ground_reactions.model_copy(update={"force_cutoff_hz": cutoff_hz}),
            "inverse_dynamics": recipe.inverse_dynamics.model_copy(
                update={"coordinate_cutoff_hz": max(recipe.inverse_dynamics.coordinate_cutoff_hz, 2 * cutoff_hz)}
            ),
        }
    )
    setup = replace(walk.setup, recipe=recipe)
    observed = observe_walk(setup, walk.trial, walk.static)
    return replace(walk, setup=setup, observed=observed, coordinates=_coordinates(setup, walk.model, observed))


def hip_forces_n(walk: DynamicWalk) -> dict[Side, np.ndarray]:
    """What the pelvis exerts on each thigh beside any muscle, (T, 3) N in the pelvis' axes."""
    shared = shared_model(walk.model)
    skeleton = shared.skeleton
    motion = differentiated(shared, walk.coordinates, None, walk.model.parent)
    wrenches = list(walk.observed.wrenches.values())
    given = np.zeros((len(motion.values), len(skeleton.bodies), 6))
    pushed = bodies_pushed(shared, wrenches, foot_bodies(walk.setup.recipe))
    about_origin = wrenches_about_origin(wrenches, walk.coordinates.time_s)
    for body, wrench in zip(pushed, about_origin.swapaxes(0, 1), strict=True):
        given[:, body] += wrench
    thighs = np.array([skeleton.bodies.index(f"femur_{side[0]}") for side in SIDES], dtype=np.int64)
    _, in_pelvis = joint_forces(skeleton.tree, motion.values, motion.speeds, motion.accelerations, given, thighs, False)
    return {side: in_pelvis[:, index] for index, side in enumerate(SIDES)}


def given_wrench(wrenches: Mapping[Side, FootWrench]) -> tuple[np.ndarray, np.ndarray]:
    """The plates' whole force, and its moment about the ground frame's origin, (T, 3) each."""
    force = np.sum([wrench.force_n for wrench in wrenches.values()], axis=0)
    moment = np.sum(
        [wrench.moment_nm + np.cross(wrench.point_m, wrench.force_n) for wrench in wrenches.values()], axis=0
    )
    return force, moment
