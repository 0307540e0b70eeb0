"""What is said of wrong force plates: `python -m benchmarks.doctored_plates FOLDER ... [--only ID ...]`.

FOLDERs are made by `python -m benchmarks.people` and `python -m benchmarks.laboratories`: their sessions are used, no
warehouse. Each body is sized and each walk's motion solved once; then the plates are doctored in memory, one fault at a
time, and contacts, weight and momentum judge them again. Prints what was said of each, then a table: of how many walks
a fault was told, how, and whether by its own name. `--keep FILE` adds the verdicts to a file; the table is of
all in it.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.tables import Cell, markdown
from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.errors import TrialRejected
from pipeline.ground.contacts import GRAVITY_M_S2
from pipeline.ground.observe_walk import observe_passes
from pipeline.ground.plates.corrected_plates import corrected
from pipeline.ground.plates.plate_faults import OWN_FREE_MOMENT_M, plate_warnings, why_plates_refused
from pipeline.markers.static_trial import StaticTrial
from pipeline.osim.engines import load_engine
from pipeline.osim.log import quiet
from pipeline.own_model.standing import standing_subject
from pipeline.plates_agree import plates_against_motion
from pipeline.records import ForcePlate, Kinematics, Recording
from pipeline.session.profile import PlateCorrection
from pipeline.session.recipe import PACKAGED_RECIPE
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup, open_session
from pipeline.sizing.size_subject import size_subject
from pipeline.solving.solve import joint_kinematics, known_over

TRUE = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueWalk:
    """A walk as it was recorded and solved. `plates`: the numbers of those that bore a foot, the longest first.

    `twisting`: the number of the one with the largest free moment, if it is large enough to matter.
    """

    setup: SessionSetup
    trial: Trial
    static: StaticTrial
    model: Path
    recording: Recording
    kinematics: Kinematics
    plates: tuple[int, ...]
    twisting: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatesVerdict:
    """What was said of a walk's plates: why it was refused, "" if not, and what was warned of that was not before."""

    fault: str
    walk: str
    refused: str
    warned: tuple[str, ...]
    named: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctoring:
    """What is done to a plate, and a word that a sentence which names the fault holds."""

    plate: Callable[[ForcePlate], ForcePlate]
    words: tuple[str, ...]


def true_walks(session_file: Path, folder: Path) -> Iterator[TrueWalk]:
    """The walks of a session that stand as they are, on the body that its recordings give."""
    setup = open_session(str(session_file), PACKAGED_RECIPE, None)
    engine, subject = load_engine(setup.recipe.model.engine), setup.session.subject.id
    try:
        static = standing_subject(setup)
        model = folder / f"{subject}.osim"
        model.write_text(size_subject(setup, static).osim_xml, "utf-8")
    except TrialRejected as rejected:
        print(f"{subject}: no body: {rejected.reason}")
        return
    for trial in setup.session.trials:
        try:
            walk = max(observe_passes(setup, trial, static), key=lambda one: len(one.strides))
            kinematics = joint_kinematics(engine, model, walk.markers, setup.profile, setup.recipe, folder / "ik")
        except TrialRejected as rejected:
            print(f"{trial.name}: left out at {rejected.stage}: {rejected.reason[:200]}")
            continue
        loads = {share.number: int((np.abs(share.force_n @ share.normal) > 100).sum()) for share in walk.shares}
        free_m = {share.number: _free_moment_nm(share) / _weight_n(setup) for share in walk.shares}
        twisting = max(free_m, key=lambda number: free_m[number])
        yield TrueWalk(
            setup=setup,
            trial=trial,
            static=static,
            model=model,
            recording=walk.recording,
            kinematics=kinematics,
            plates=tuple(sorted(loads, key=lambda number: -loads[number])),
            twisting=(twisting,) if free_m[twisting] > OWN_FREE_MOMENT_M else (),
        )


def _free_moment_nm(share: ForcePlate) -> float:
    """Root mean square while loaded."""
    _, free_nm = centre_of_pressure(share)
    return float(np.sqrt(np.nanmean(free_nm**2)))


def _weight_n(setup: SessionSetup) -> float:
    return setup.session.subject.mass_kg * GRAVITY_M_S2


def said_of(walk: TrueWalk, recording: Recording) -> tuple[str, tuple[str, ...]]:
    """Why the walk is refused with these plates, "" if it stands, and its warnings."""
    setup = walk.setup
    warnings: list[str] = []
    try:
        passes = observe_passes(setup, walk.trial, walk.static, recording)
        for one in passes:
            warnings += one.ground.warnings
            motion = known_over(one.markers, walk.kinematics)
            agreement = motion and plates_against_motion(
                walk.model, motion.coordinates, one, setup.session.subject.mass_kg, setup.recipe
            )
            if agreement:
                why = why_plates_refused(agreement, setup.recipe.inverse_dynamics)
                if why:
                    return why, tuple(warnings)
                warnings += plate_warnings(agreement, setup.recipe.inverse_dynamics)
    except TrialRejected as rejected:
        return f"{rejected.stage}: {rejected.reason}", tuple(warnings)
    return "", tuple(warnings)


def moved(by_m: float, across: bool, plate: ForcePlate) -> ForcePlate:
    """The plate stated that far along its own longer edge from where it is, or across it."""
    edges = [plate.corners_m[0] - plate.corners_m[1], plate.corners_m[0] - plate.corners_m[3]]
    along = sorted(edges, key=lambda edge: float(np.linalg.norm(edge)))[0 if across else 1]
    shift = by_m * along / np.linalg.norm(along)
    return replace(plate, corners_m=plate.corners_m + shift, origin_m=plate.origin_m + shift)


def pressure_held(at: str, plate: ForcePlate) -> ForcePlate:
    """The plate with its pressure at one place of each loading: the plate's middle, or the mean of where it was."""
    cop_m, free_nm = centre_of_pressure(plate)
    loaded = np.isfinite(cop_m).all(axis=1)
    load_n = (plate.force_n @ plate.normal)[loaded]
    mean_m = (load_n @ cop_m[loaded]) / load_n.sum() if loaded.any() else plate.surface_m
    place_m = plate.surface_m if at == "middle" else mean_m
    moment_nm = np.cross(place_m - plate.origin_m, plate.force_n) + np.nan_to_num(free_nm)[:, None] * plate.normal
    return replace(plate, moment_nm=np.where(loaded[:, None], moment_nm, plate.moment_nm))


def enlarged(plate: ForcePlate) -> ForcePlate:
    """The plate with its corners in millimetres that are read as metres."""
    return replace(plate, corners_m=plate.corners_m * 1000)


def with_constant(upward_n: float, plate: ForcePlate) -> ForcePlate:
    """The plate with a constant vertical force."""
    return replace(plate, force_n=plate.force_n + upward_n * plate.normal)


def _channels(*words: str, **how: object) -> Doctoring:
    correction = PlateCorrection.model_validate(how)
    return Doctoring(plate=lambda plate: corrected(plate, correction), words=words)


def _doctorings() -> dict[str, Doctoring]:
    reversed_ = "with its sign reversed"
    weight = ("vertical force", "weigh", "the plates weigh")
    found = {
        "fx reversed": _channels(f"force (fx) explains the motion {reversed_}", reverse=("fx",)),
        "fy reversed": _channels(f"force (fy) explains the motion {reversed_}", reverse=("fy",)),
        "fx and fy reversed": _channels("both its signs reversed", reverse=("fx", "fy")),
        "fz reversed": _channels("opposite sign", reverse=("fz",)),
        "all reversed": _channels("opposite sign", reverse=("fx", "fy", "fz", "mx", "my", "mz")),
        "fx and fy exchanged": _channels("fx and fy exchanged", exchange=(("fx", "fy"),)),
        "fx and fy exchanged, fx reversed": _channels("fx and fy exchanged", exchange=(("fx", "fy"),), reverse=("fx",)),
        "mx reversed": _channels("mx reversed", f"(mx) explains the motion {reversed_}", reverse=("mx",)),
        "my reversed": _channels("my reversed", f"(my) explains the motion {reversed_}", reverse=("my",)),
        "mz reversed": _channels(f"vertical explains the motion {reversed_}", "free moment", reverse=("mz",)),
        "mx and my reversed": _channels("moments' sign reversed", "mx, my", reverse=("mx", "my")),
        "mx and my exchanged": _channels("mx and my exchanged", exchange=(("mx", "my"),)),
        "free moment reversed": _channels("free moment", reverse=("free_moment",)),
        "moments in N·m as N·mm": _channels("times 1000", times=dict.fromkeys(("mx", "my", "mz"), 0.001)),
        "moments in N·mm as N·m": _channels("divided by 1000", times=dict.fromkeys(("mx", "my", "mz"), 1000)),
        "turned by half a turn": _channels("half a turn", "sign reversed", reverse=("fx", "fy", "mx", "my")),
        "fz 10 % more": _channels(*weight, times={"fz": 1.1}),
        "fz 10 % less": _channels(*weight, times={"fz": 0.9}),
        "all 10 % more": _channels(*weight, times=dict.fromkeys(("fx", "fy", "fz", "mx", "my", "mz"), 1.1)),
    }
    found |= {
        "plate 10 cm further along": Doctoring(plate=partial(moved, 0.10, False), words=("pressure",)),
        "plate 10 cm to a side": Doctoring(plate=partial(moved, 0.10, True), words=("pressure",)),
        "pressure at the plate's middle": Doctoring(
            plate=partial(pressure_held, "middle"), words=("stands still", "times 1000", "of pressure")
        ),
        "pressure still under the foot": Doctoring(plate=partial(pressure_held, "mean"), words=("stands still",)),
        "plate 400 m wide": Doctoring(plate=enlarged, words=("m long",)),
        "3000 N throughout": Doctoring(plate=partial(with_constant, 3000.0), words=("no foot is near",)),
        "−700 N throughout": Doctoring(
            plate=partial(with_constant, -700.0), words=("no foot is near", "opposite sign")
        ),
    }
    return found


FAULTS = _doctorings()
# The rest are faults of one plate, or tell no more of two.
EVERY_PLATE = (
    "fx reversed", "fy reversed", "fx and fy reversed", "fx and fy exchanged", "mz reversed", "free moment reversed",
    "moments in N·m as N·mm", "moments in N·mm as N·m", "fz 10 % more", "fz 10 % less", "all 10 % more",
)  # fmt: skip


def verdicts(walk: TrueWalk, faults: Sequence[str]) -> Iterator[PlatesVerdict]:
    """What is said of the walk as it is, and with each fault, of one plate and of all."""
    name = f"{walk.setup.session.subject.id} {walk.trial.name}"
    refused, known = said_of(walk, walk.recording)
    about = tuple(warning for warning in known if warning.startswith("plate ") and "contact" not in warning)
    yield PlatesVerdict(fault=TRUE, walk=name, refused=refused, warned=about, named=False)
    for fault in faults:
        doctoring = FAULTS[fault]
        one = walk.twisting if fault == "free moment reversed" else walk.plates[:1]
        for where, numbers in (("one plate", one), ("every plate", walk.plates)):
            if not numbers or (where == "every plate" and fault not in EVERY_PLATE):
                continue
            plates = tuple(
                doctoring.plate(plate) if plate.number in numbers else plate for plate in walk.recording.plates
            )
            refused, warnings = said_of(walk, replace(walk.recording, plates=plates))
            new = tuple(warning for warning in warnings if warning not in known)
            yield PlatesVerdict(
                fault=f"{where}: {fault}",
                walk=name,
                refused=refused,
                warned=new,
                named=any(words in said for words in doctoring.words for said in (refused, *new)),
            )


def power_table(found: Mapping[str, Sequence[PlatesVerdict]]) -> str:
    """Of how many walks each fault was told, refused, warned of alone, and named."""
    rows: list[list[Cell]] = []
    for fault, each in found.items():
        refused = [one for one in each if one.refused]
        warned = [one for one in each if not one.refused and one.warned]
        told = len(refused) + len(warned)
        rows.append(
            [
                fault,
                float(len(each)),
                float(told),
                100 * told / len(each),
                float(len(refused)),
                float(len(warned)),
                float(sum(one.named for one in each)),
            ]
        )
    return markdown(("fault", "walks", "told", "%", "refused", "warned", "named"), rows, (0, 0, 0, 0, 0, 0, 0))


def session_files(folders: Sequence[Path]) -> list[Path]:
    """The session files that the folders hold. ValueError without any."""
    found = [file for folder in folders for file in sorted(folder.glob("sessions/*.toml"))]
    found += [file for folder in folders for file in sorted(folder.glob("*/session.toml"))]
    if not found:
        raise ValueError(f"{', '.join(map(str, folders))}: no sessions. Make them with `python -m benchmarks.people`.")
    return found


def main() -> None:
    arguments = _arguments()
    quiet()
    faults = [name for name in FAULTS if not arguments.faults or any(text in name for text in arguments.faults)]
    found: dict[str, list[PlatesVerdict]] = {}
    if arguments.keep and arguments.keep.exists():
        for line in arguments.keep.read_text("utf-8").splitlines():
            verdict = PlatesVerdict(**json.loads(line))
            found.setdefault(verdict.fault, []).append(verdict)
    for file in session_files(arguments.folders):
        if {file.stem, file.parent.name} & set(arguments.without):
            continue
        if arguments.only and not {file.stem, file.parent.name} & set(arguments.only):
            continue
        with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
            for walk in true_walks(file, Path(name)):
                for verdict in verdicts(walk, faults):
                    found.setdefault(verdict.fault, []).append(verdict)
                    if arguments.keep:
                        with arguments.keep.open("a", encoding="utf-8") as kept:
                            kept.write(json.dumps(asdict(verdict), ensure_ascii=False) + "\n")
                    said = verdict.refused or " | ".join(verdict.warned)
                    print(f"{verdict.walk}: {verdict.fault}: {said[:240] or '-'}", flush=True)
    print(power_table(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="what benchmarks.people or benchmarks.laboratories made")
    parser.add_argument("--only", nargs="*", metavar="ID", help="these people")
    parser.add_argument("--without", nargs="*", default=(), metavar="ID", help="not these: who runs, say")
    parser.add_argument("--faults", nargs="*", metavar="TEXT", help="faults whose names hold this")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="add verdicts to this file; the table is of all in it"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
