"""Everybody's walks of a folder made by `benchmarks.people`, solved again on the bodies that its warehouse holds.

A walk that its trial's gates rejected is solved too, so that two ways of sizing are compared on the same walks; one
that can't be solved at all is told with its reason.
"""

import argparse
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import GRAVITY_M_S2
from pipeline.ground.cycles import Stride
from pipeline.ground.observe_walk import ObservedWalk, observe_walk
from pipeline.markers.static_trial import StaticTrial, read_static
from pipeline.osim.engines import load_engine
from pipeline.osim.models.shared_model import SharedModel, shared_model
from pipeline.session.recipe import PACKAGED_RECIPE
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup, open_session
from pipeline.solving.solution import Solution
from pipeline.solving.solve import joint_kinematics, solve_forces
from warehouse.errors import WarehouseError
from warehouse.files.read import read_scaled_model
from warehouse.layout import Warehouse

_MOST_LETTERS = 150


@dataclass(frozen=True, kw_only=True)
class SizedPerson:
    """Somebody with a session file, a standing pose and a scaled model."""

    setup: SessionSetup
    static: StaticTrial
    model: Path

    @property
    def name(self) -> str:
        return self.setup.session.subject.id

    @property
    def cohort(self) -> str:
        return self.setup.session.key.cohort

    @property
    def mass_kg(self) -> float:
        return self.setup.session.subject.mass_kg

    @property
    def weight_n(self) -> float:
        return self.mass_kg * GRAVITY_M_S2

    @property
    def shared(self) -> SharedModel:
        return shared_model(self.model)


@dataclass(frozen=True, kw_only=True)
class SolvedWalk:
    """A walk with all solves; times of `observed` and `solution.kinematics`, muscles over `observed.frames`."""

    person: SizedPerson
    trial: Trial
    observed: ObservedWalk
    solution: Solution

    @property
    def condition(self) -> str:
        return self.trial.condition

    @property
    def speed_m_s(self) -> float:
        """How fast the pelvis travels forward."""
        coordinates = self.solution.kinematics.coordinates
        forward, time_s = coordinates.column("pelvis_tx"), coordinates.time_s
        return float((forward[-1] - forward[0]) / (time_s[-1] - time_s[0]))

    def phase(self, stride: Stride) -> np.ndarray:
        """Each muscle frame's share of a stride, (T,): 0 at its strike, 1 at the next."""
        return (self.solution.muscles.time_s - stride.start_s) / stride.duration_s

    def known(self, stride: Stride) -> np.ndarray:
        """The muscle frames (T,) within a stride in which the ground's force on its foot is known."""
        phase = self.phase(stride)
        return (phase >= 0) & (phase < 1) & self.observed.wrenches[stride.side].known[self.solution.frames]


def people_parser(description: str | None) -> argparse.ArgumentParser:
    """The command line `FOLDER [--recipe RECIPE] [--only ID ...]`: what `sized_people` takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what `python -m benchmarks.people FOLDER` made")
    parser.add_argument("--recipe", default=PACKAGED_RECIPE)
    parser.add_argument("--only", nargs="*", default=(), metavar="ID", help="these people")
    return parser


def versus_parser(description: str | None) -> argparse.ArgumentParser:
    """The same for commands that compare two folders: `[--versus FOLDER2]`."""
    parser = people_parser(description)
    parser.add_argument("--versus", type=Path, metavar="FOLDER2", help="another such folder: before → after")
    return parser


def sized_people(folder: Path, recipe: str = PACKAGED_RECIPE, only: Collection[str] = ()) -> Iterator[SizedPerson]:
    """Each person in turn, whose model is there until the next is asked for. ValueError for a folder without any."""
    files = sorted((folder / "sessions").glob("*.toml"))
    if not files:
        raise ValueError(f"{folder} holds no sessions/*.toml: make it with `python -m benchmarks.people {folder}`.")
    warehouse = Warehouse(str((folder / "warehouse").absolute()))
    for file in files:
        if only and file.stem not in only:
            continue
        setup = open_session(str(file), recipe, None)
        with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
            model = Path(directory) / "scaled.osim"
            try:
                model.write_text(read_scaled_model(warehouse, setup.session.key), "utf-8")
                yield SizedPerson(setup=setup, static=read_static(setup), model=model)
            except (TrialRejected, WarehouseError) as reason:
                print(f"{file.stem}: no sized body: {reason}")


def solved_walks(person: SizedPerson) -> Iterator[SolvedWalk]:
    """The person's walks, one after the other; what can't be solved is printed."""
    setup = person.setup
    engine = load_engine(setup.recipe.model.engine)
    for trial in setup.session.trials:
        with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
            try:
                walk = observe_walk(setup, trial, person.static)
                motion = joint_kinematics(
                    engine, person.model, walk.markers, setup.profile, setup.recipe, Path(directory) / "ik"
                )
                solution = solve_forces(
                    engine, person.model, motion, walk.wrenches, walk.frames, setup.recipe, Path(directory)
                )
            except TrialRejected as rejected:
                print(f"{trial.name}: not solved: {rejected.stage}: {_brief(rejected.reason)}")
                continue
        yield SolvedWalk(person=person, trial=trial, observed=walk, solution=solution)


def _brief(reason: str) -> str:
    """The beginning of a reason, which may list every marker of a file."""
    return reason if len(reason) <= _MOST_LETTERS else reason[:_MOST_LETTERS] + " …"
