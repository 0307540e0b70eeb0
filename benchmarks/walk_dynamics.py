"""Walks of a benchmark's folder with their whole-body dynamics: what norms, plate lags and residuals are computed from.

Every walk whose markers can be followed is taken, whatever the gates said of it: `accepted` tells. Nothing is written.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.observe_walk import ObservedWalk, observe_walk
from pipeline.markers.static_trial import StaticTrial, read_static
from pipeline.osim.engines import load_engine
from pipeline.osim.models.mechanics import Mechanics
from pipeline.osim.motion import natural_spline
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


def dynamic_walks(folder: Path, only: list[str] | None = None) -> Iterator[DynamicWalk]:
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
            kinematics = joint_kinematics(
                load_engine(setup.recipe.model.engine), model, observed.markers, setup.profile, setup.recipe, scratch
            )
        except TrialRejected as rejected:
            print(f"{trial.name}: left out at {rejected.stage}, {rejected.reason}")
            continue
        yield DynamicWalk(
            setup=setup,
            trial=trial,
            static=static,
            model=model,
            observed=observed,
            coordinates=without_jitter(kinematics.coordinates, setup.recipe.inverse_dynamics.coordinate_cutoff_hz),
            accepted=_accepted(warehouse, setup, trial),
        )


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


def given_wrench(wrenches: Mapping[Side, FootWrench]) -> tuple[np.ndarray, np.ndarray]:
    """The plates' whole force, and its moment about the ground frame's origin, (T, 3) each."""
    force = np.sum([wrench.force_n for wrench in wrenches.values()], axis=0)
    moment = np.sum(
        [wrench.moment_nm + np.cross(wrench.point_m, wrench.force_n) for wrench in wrenches.values()], axis=0
    )
    return force, moment
