"""A laboratory session on disk: `session.toml` and the recordings it names."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from pipeline.records import Sex
from pipeline.session.profile import PlateCorrections, PlatesLag
from warehouse.identity import SessionKey, TrialKey
from warehouse.settings_file import Checked, in_words, read_toml

SESSION_FILE = "session.toml"
# Raised when the entries of a session file change their names, units or meanings.
SESSION_FORMAT = 1
# Files of markers, by their names' endings.
RECORDING_SUFFIXES = (".c3d", ".trc")
# Where a walk's ground reactions lie, unless the session says: walk1.trc, walk1_grf.mot.
FORCES_ENDINGS = ("_grf.mot", "_grf.sto")
# Walks that size the body beside the static trial, where the session doesn't name them.
SIZING_WALKS = 4


class Subject(Checked):
    """Who walked, by code. Mass and height are measured, never assumed."""

    id: str
    mass_kg: float
    height_m: float
    sex: Sex | None = None
    age_y: Annotated[float, Field(ge=1, le=120)] | None = None

    @field_validator("mass_kg")
    @classmethod
    def _plausible_mass(cls, value: float) -> float:
        if not 10 <= value <= 250:
            raise ValueError("is outside 10-250 kg. Is it in grams or pounds? Correct session.toml")
        return value

    @field_validator("height_m")
    @classmethod
    def _plausible_height(cls, value: float) -> float:
        if not 0.8 <= value <= 2.4:
            raise ValueError("is outside 0.8-2.4 m. Is it in centimetres? Correct session.toml")
        return value


class Visit(Checked):
    """When and how: the profile names the laboratory's marker set; `recordings` may lie elsewhere.

    `static`: the standing trial, if there is one. `sizing`: the walks that size the body, beside it or alone; the first
    few if they aren't given.
    `kinematics_only`: its walks give joint angles alone; plates say where up is, no more.
    `scaled_model`: the subject's own model, which nothing sizes then: it goes before any other.
    `plates_lag_s`: how late the force plates were against the cameras that day; it goes before the profile's.
    """

    id: str
    cohort: str
    profile: str
    static: str | None = None
    sizing: tuple[str, ...] | None = None
    recordings: str = "."
    plates_lag_s: PlatesLag | None = None
    kinematics_only: bool = False
    scaled_model: str | None = None


class TrialEntry(Checked):
    """What [trials] says of a file: its condition, and the file of ground reactions beside it, if it holds no plates.

    `forces` None: `STEM_grf.mot` or `STEM_grf.sto`, where one lies beside the file; "": there are none.
    """

    condition: str
    forces: str | None = None


class _File(Checked):
    format: Literal[1]
    subject: Subject
    session: Visit
    plates: PlateCorrections = Field(default_factory=dict)
    trials: Annotated[dict[str, str | TrialEntry], Field(min_length=1)]


class Trial(Checked):
    """One walk: its name (a safe form of the file's stem), its file, its ground reactions' file and its condition."""

    name: str
    path: Path
    forces: Path | None = None
    condition: str

    @property
    def is_solved(self) -> bool:
        """Whether its file holds joint coordinates, and no markers."""
        return self.path.suffix.lower() in (".mot", ".sto")


class Session(Checked):
    """A checked session: every path is absolute, every name safe."""

    file: Path
    key: SessionKey
    subject: Subject
    profile: str
    static: Path | None
    scaled_model: Path | None
    plates_lag_s: float | None
    plates: PlateCorrections
    kinematics_only: bool
    trials: tuple[Trial, ...]
    sizing_trials: tuple[Trial, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the session names beside its profile: itself, recordings, forces, the subject's model."""
        others = [self.static, self.scaled_model, *(trial.forces for trial in self.trials)]
        return (self.file, *(trial.path for trial in self.trials), *(path for path in others if path))

    def trial_key(self, name: str) -> TrialKey:
        """The warehouse's key of one trial."""
        return self.key.of_trial(name)

    def trial(self, name: str) -> Trial:
        """One trial by name; KeyError if the session lacks it."""
        for trial in self.trials:
            if trial.name == name:
                return trial
        raise KeyError(name)


def trial_name(file_name: str) -> str:
    """A name fit for a path, from a file's: `walk 01.c3d` -> `walk_01`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", Path(file_name).stem).lstrip("._-").rstrip(".") or "trial"


def session_file_of(path: Path) -> Path:
    """The session file that `path` (a folder, or the file itself) means. ValueError if there is none."""
    file = path / SESSION_FILE if path.is_dir() else path
    if not file.is_file():
        raise ValueError(f"{file} does not exist. Write it with `gait2hip init-session {path}`.")
    return file


def load_session(path: Path, *, follow_link: bool = True) -> Session:
    """Read and check a session. ValueError says which file, what was found, what was expected, what to do."""
    file = session_file_of(path).absolute()
    try:
        content = _File.model_validate(_of_this_format(file, read_toml(file, follow_link=follow_link)))
    except ValidationError as error:
        raise _with_advice(file, error) from error
    visit = content.session
    folder = (file.parent / visit.recordings).resolve()
    trials = tuple(_trial(folder, name, entry) for name, entry in content.trials.items())
    static = folder / visit.static if visit.static else None
    scaled_model = folder / visit.scaled_model if visit.scaled_model else None
    _refuse_clashes(file, trials, static)
    _refuse_two_bodies(file, visit, trials)
    profile = visit.profile
    if profile.endswith(".toml"):
        profile = str((file.parent / profile).resolve())
    try:
        key = SessionKey(cohort=visit.cohort, subject=content.subject.id, session=visit.id)
        for trial in trials:
            key.of_trial(trial.name)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return Session(
        file=file,
        key=key,
        subject=content.subject,
        profile=profile,
        static=static,
        scaled_model=scaled_model,
        plates_lag_s=visit.plates_lag_s,
        plates=content.plates,
        kinematics_only=visit.kinematics_only,
        trials=trials,
        sizing_trials=() if scaled_model else _sizing_trials(file, visit.sizing, trials),
    )


def _trial(folder: Path, name: str, entry: str | TrialEntry) -> Trial:
    stated = entry if isinstance(entry, TrialEntry) else TrialEntry(condition=entry)
    path = folder / name
    forces = forces_beside(path) if stated.forces is None else folder / stated.forces if stated.forces else None
    return Trial(name=trial_name(name), path=path, forces=forces, condition=stated.condition)


def forces_beside(path: Path) -> Path | None:
    """The ground reactions of a file that can't hold plates, by their name. ValueError for two."""
    if path.suffix.lower() == ".c3d":
        return None
    found = [other for end in FORCES_ENDINGS if (other := path.with_name(path.stem + end)).is_file()]
    if len(found) > 1:
        raise ValueError(
            f"{path.parent}: {' and '.join(other.name for other in found)} both lie beside {path.name}. Say which is "
            "meant, in session.toml: "
            f'"{path.name}" = {{condition = "...", forces = "{found[0].name}"}}.'
        )
    return found[0] if found else None


def _refuse_two_bodies(file: Path, visit: Visit, trials: tuple[Trial, ...]) -> None:
    """ValueError for a body that is both given and to be sized, or for joint coordinates without their model."""
    solved = [trial.path.name for trial in trials if trial.is_solved]
    if solved and not visit.scaled_model:
        raise ValueError(
            f"{file}: {', '.join(solved[:5])} hold joint coordinates, which mean something with the model that they "
            'were solved with alone. Name it: scaled_model = "subject.osim" in [session].'
        )
    if visit.scaled_model and (visit.static or visit.sizing):
        raise ValueError(
            f"{file}: scaled_model = {visit.scaled_model!r} is the subject's body, so nothing sizes one. Leave out "
            f"{'`static`' if visit.static else '`sizing`'}, or scaled_model."
        )


def _sizing_trials(file: Path, named: tuple[str, ...] | None, trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """The walks that size the body, beside the static trial: those named, or the first few."""
    if named is None:
        return trials[:SIZING_WALKS]
    unknown = [name for name in named if name not in {trial.path.name for trial in trials}]
    if unknown:
        raise ValueError(
            f"{file}: `sizing` names {', '.join(unknown)}, which [trials] lacks; it has "
            f"{', '.join(trial.path.name for trial in trials)}. Correct the one or the other."
        )
    return tuple(trial for trial in trials if trial.path.name in named)


def _of_this_format(file: Path, content: dict[str, object]) -> dict[str, object]:
    if content.get("format", SESSION_FORMAT) != SESSION_FORMAT:
        raise ValueError(
            f"{file} has format {content['format']!r}; this gait2hip reads {SESSION_FORMAT}. Write it again with "
            "`gait2hip init-session`, or use the gait2hip that it was written for."
        )
    return content


def _with_advice(file: Path, error: ValidationError) -> ValueError:
    plain = in_words(str(file), error)
    missing = [str(item["loc"][-1]) for item in error.errors() if item["type"] == "missing"]
    if not missing:
        return plain
    return ValueError(f"{plain}. Fill in {', '.join(missing)}: nothing is assumed for a subject or a session.")


def _refuse_clashes(file: Path, trials: tuple[Trial, ...], static: Path | None) -> None:
    seen: dict[str, Path] = {}
    for trial in trials:
        if trial.name in seen:
            raise ValueError(
                f"{file}: {seen[trial.name].name} and {trial.path.name} would both be trial {trial.name!r}. "
                "Rename one of the files."
            )
        seen[trial.name] = trial.path
        if static and trial.path == static:
            raise ValueError(f"{file}: {static.name} is both the static trial and a walk. Remove one of the two.")
