"""What `gait2hip predict` is given, whatever kind of file it is: walks over time, or cycles cut already."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.workers.warm_start import MECHANICS_PRELOAD, make_ready
from warehouse.outcome import Rejection

# Everything heavy is loaded when an input is read, not before.
if TYPE_CHECKING:
    from flows.workers.worker_pool import WorkerPool
    from pipeline.motion_only.walk_angles import WalkAngles
    from pipeline.session.session import Session
    from warehouse.interchange.input_cycles import InputCycles

# What a worker needs to read a C3D and to solve its inverse kinematics: the fork server imports it once.
WORKER_PRELOAD = (
    "pipeline.motion_only.recorded_angles",
    "pipeline.osim.exact.engine",
    MECHANICS_PRELOAD,
    "flows.cli",
)
# A walk takes a second; OpenSim's own tools, if a recipe asks for them, up to a quarter of a second a frame.
WALK_TIME_LIMIT_S = 1800.0
DEFAULT_RECIPE = "gait2hip60"
KNOWN = "a .c3d, .trc, .mot, .sto, .csv or .npz file, a session's folder or its session.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRequest:
    """What to read. `session`, `mass_kg`, `recipe` and `model` are None where they weren't given."""

    path: Path
    session: Path | None
    mass_kg: float | None
    recipe: str | None
    model: Path | None

    def __post_init__(self) -> None:
        if self.mass_kg is not None and not 10 <= self.mass_kg <= 250:
            raise ValueError(f"--mass-kg {self.mass_kg:g}: expected 10-250 kg. Is it in grams or pounds?")
        if self.session is not None and READERS.get(self.path.suffix.lower()) is not _markers:
            raise ValueError(f"--session says whose a .c3d or .trc file is, and {self.path} is none. Leave it out.")

    @property
    def settings(self) -> str:
        """The name or file of the pipeline's recipe."""
        return DEFAULT_RECIPE if self.recipe is None else self.recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWalk:
    """A walk, and what its trial is called."""

    trial: str
    condition: str
    walk: "WalkAngles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walks:
    """One person's walks. `mass_kg` and `height_m` are NaN if not known; `refused` couldn't be used."""

    subject: str
    mass_kg: float
    height_m: float
    walks: tuple[NamedWalk, ...]
    refused: tuple[Rejection, ...]


def read_input(request: InputRequest) -> "Walks | InputCycles":
    """The walks or cycles of a file, or of a session.

    ValueError, TrialRejected or WarehouseError says what can't be used; of a session, only if no walk can. WorkerFault
    where a worker process fails by a fault of ours.
    """
    from warehouse.interchange.given_file import check_given

    path = request.path
    if not path.exists():
        raise ValueError(f"{path} does not exist: expected {KNOWN}.")
    for file in (path, request.model):
        if file is not None and not (file == path and path.is_dir()):
            check_given(file)
    read = _session if path.is_dir() else READERS.get(path.suffix.lower())
    if read is None:
        raise ValueError(f"{path} is of an unknown kind: expected {KNOWN}.")
    if request.model is not None and read not in (_markers, _session):
        raise ValueError(
            f"--model follows the markers of a .c3d, a .trc or a session, and {path} is neither. Leave it out."
        )
    return read(request)


def _markers(request: InputRequest) -> Walks:
    file = request.path.absolute()
    return _recorded(request, request.session or file.parent, lambda _session: [file])


def _session(request: InputRequest) -> Walks:
    return _recorded(request, request.path, lambda session: [trial.path for trial in session.trials])


def _recorded(request: InputRequest, session_path: Path, files: "Callable[[Session], list[Path]]") -> Walks:
    """Walks of a session, solved in a worker process, with the model scaled once."""
    from flows.absolute import absolute_model, absolute_recipe
    from flows.workers.worker_pool import WorkerPool
    from pipeline.motion_only.recorded_angles import recorded_angles, scaled_model, trial_of
    from pipeline.session.recipe import load_recipe
    from pipeline.session.session import load_session, session_file_of

    session = load_session(session_file_of(session_path))
    if request.mass_kg is not None:
        raise ValueError(
            f"{session.file} says {session.subject.mass_kg:g} kg: leave --mass-kg out, or correct it there."
        )
    recipe, model = absolute_recipe(request.settings), absolute_model(request.model)
    walks, refused = [], []
    start = None if load_recipe(recipe).model.engine == "tools" else make_ready
    with WorkerPool(1, WORKER_PRELOAD, start) as workers:
        scaled = _in_worker(workers, session.file.name, scaled_model, str(session.file), recipe, model)
        if isinstance(scaled, Rejection):
            raise ValueError(f"{session.file}: {scaled}")
        for file in files(session):
            walk = _in_worker(workers, file.name, recorded_angles, str(session.file), str(file), recipe, scaled)
            if isinstance(walk, Rejection):
                refused.append(walk)
            else:
                trial = trial_of(session, file)
                walks.append(NamedWalk(trial=trial.name, condition=trial.condition, walk=walk))
    if not walks:
        raise ValueError("\n".join(map(str, refused)))
    return Walks(
        subject=f"{session.key.cohort}/{session.key.subject}",
        mass_kg=session.subject.mass_kg,
        height_m=session.subject.height_m,
        walks=tuple(walks),
        refused=tuple(refused),
    )


def _in_worker(workers: "WorkerPool", source: str, function: Callable[..., Any], *args: object) -> Any:
    """What the function returns; where its process crashes or hangs, the file is refused.

    ValueError or WarehouseError as the function's; WorkerFault for any other error, which is ours.
    """
    from flows.workers.call_outcome import WorkerLost, value_of

    try:
        return value_of(workers.run(function, *args, time_limit_s=WALK_TIME_LIMIT_S))
    except WorkerLost as lost:
        return Rejection(stage="worker", reason=f"{source}: {lost.reason}")


def _mot(request: InputRequest) -> Walks:
    from pipeline.motion_only.motion_file import read_mot
    from pipeline.session.recipe import load_recipe

    return _one_walk(request, read_mot(request.path, load_recipe(request.settings)))


def _csv(request: InputRequest) -> "Walks | InputCycles":
    from pipeline.motion_only.motion_file import read_csv_motion
    from pipeline.session.recipe import load_recipe
    from warehouse.interchange.given_file import csv_table
    from warehouse.interchange.input_cycles import cycles_of_table

    table = csv_table(request.path)
    if {"time_s", "sample"} <= set(table.column_names):
        raise ValueError(
            f"{request.path} has both time_s, which a walk over time has, and sample, which cycles have: remove "
            "the one that it is not read by."
        )
    if "sample" in table.column_names:
        return _cut_already(request, cycles_of_table(request.path, table))
    return _one_walk(request, read_csv_motion(request.path, load_recipe(request.settings)))


def _npz(request: InputRequest) -> "InputCycles":
    from warehouse.interchange.input_cycles import read_npz_inputs

    return _cut_already(request, read_npz_inputs(request.path))


READERS: "dict[str, Callable[[InputRequest], Walks | InputCycles]]" = {
    ".c3d": _markers,
    ".trc": _markers,
    ".toml": _session,
    ".mot": _mot,
    ".sto": _mot,
    ".csv": _csv,
    ".npz": _npz,
}


def _one_walk(request: InputRequest, walk: "WalkAngles") -> Walks:
    from warehouse.interchange.input_cycles import UNKNOWN_WORD

    unknown = float("nan")
    return Walks(
        subject=UNKNOWN_WORD,
        mass_kg=unknown if request.mass_kg is None else request.mass_kg,
        height_m=unknown,
        walks=(NamedWalk(trial=request.path.stem, condition=UNKNOWN_WORD, walk=walk),),
        refused=(),
    )


def _cut_already(request: InputRequest, cycles: "InputCycles") -> "InputCycles":
    """The cycles with the mass that was given for them. ValueError if their file says another, or for a recipe."""
    from dataclasses import replace

    import numpy as np

    if request.recipe is not None:
        raise ValueError(f"--recipe says how cycles are cut, and {cycles.source} holds cycles. Leave it out.")
    if request.mass_kg is None:
        return cycles
    if np.isfinite(cycles.mass_kg).any():
        raise ValueError(f"{cycles.source} says its subjects' masses: leave --mass-kg out.")
    return replace(cycles, mass_kg=np.full(len(cycles), request.mass_kg))


def refusals(walks: Walks) -> Iterator[str]:
    """Which walks and strides were left out, and why, a line each; then what was repaired."""
    for one in walks.refused:
        yield f"not predicted: {one}"
    for named in walks.walks:
        yield from (f"not predicted: {why}" for why in named.walk.refused)
        yield from (f"{named.walk.source}: {warning}" for warning in named.walk.warnings)
