"""Write a commented `session.toml` from what the recordings say; what they can't say is left to be filled in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

import numpy as np

from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.records import Recording
from pipeline.session.load_profile import fixed_profiles, load_profile
from pipeline.session.profile import Profile
from pipeline.session.session import SESSION_FILE, SIZING_WALKS, load_session

_Fact = TypeVar("_Fact", float, str)

# What stands where a label was not given: said, not guessed.
UNSPECIFIED = "unspecified"
# A trial in which the pelvis travels less than this is standing.
STANDING_TRAVEL_M = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFacts:
    """What the user said of the subject; None where nothing was said."""

    id: str
    mass_kg: float | None = None
    height_m: float | None = None
    sex: str | None = None
    age_y: float | None = None


def init_session(
    directory: Path,
    *,
    subject: SubjectFacts,
    cohort: str | None = None,
    profile: str | None = None,
    static: str | None = None,
    conditions: Sequence[tuple[str, str]] = (),
    output: Path | None = None,
) -> Path:
    """Inspect a folder of C3D files, write its session file and return where it is.

    `conditions` are (glob, name) pairs, the first match wins; a walk that none matches is "unspecified", and so is
    a cohort that isn't given. A mass or height that isn't given is left as a comment, with what a recording says
    of it, for the user to complete. ValueError if the folder holds no C3D file, or the file exists already.
    """
    recordings = _readable(directory)
    target = output or directory / SESSION_FILE
    if target.exists():
        raise ValueError(f"{target} exists already and is not overwritten. Edit it, or remove it first.")
    profile = _absolute(profile) if profile else _matching_profile(directory, recordings)
    static = static or _static_of(directory, recordings, load_profile(profile))
    if static is not None and static not in recordings:
        raise ValueError(f"{directory / static} is not among the folder's readable C3D files: {sorted(recordings)}.")
    text = _render(directory, target, subject, cohort, profile, static, conditions, recordings)
    _write(target, text)
    return target


def missing_entries(session_file: Path) -> str | None:
    """What still has to be filled in before `ingest` can run, or None."""
    try:
        load_session(session_file)
    except ValueError as error:
        return str(error)
    return None


def _readable(directory: Path) -> dict[str, Recording | TrialRejected]:
    if not directory.is_dir():
        raise ValueError(f"{directory} is not a folder. Give the folder that holds the session's C3D files.")
    files = sorted(path for path in directory.iterdir() if path.suffix.lower() == ".c3d")
    if not files:
        raise ValueError(f"{directory} holds no C3D file. Give the folder that holds the session's recordings.")
    recordings: dict[str, Recording | TrialRejected] = {}
    for path in files:
        try:
            recordings[path.name] = read_c3d(path)
        except TrialRejected as error:
            recordings[path.name] = error
    return recordings


def _absolute(profile: str) -> str:
    """A profile's file by its whole path, since session.toml may lie elsewhere; a packaged name as it is."""
    return str(Path(profile).resolve()) if Path(profile).is_file() else profile


def _matching_profile(directory: Path, recordings: dict[str, Recording | TrialRejected]) -> str:
    labels = [set(item.marker_labels) for item in recordings.values() if isinstance(item, Recording)]
    for name in fixed_profiles():
        needed = set(load_profile(name).required_labels)
        if any(needed <= present for present in labels):
            return name
    raise ValueError(
        f"{directory}: none of the packaged profiles ({', '.join(fixed_profiles())}) has its markers in "
        "these files. Write a profile for this laboratory (CONTRIBUTING.md says how) and pass it with --profile."
    )


def _static_of(directory: Path, recordings: dict[str, Recording | TrialRejected], profile: Profile) -> str | None:
    """The one recording of quiet standing, None if all walk. ValueError if there are several."""
    standing = [
        name
        for name, item in recordings.items()
        if isinstance(item, Recording) and _travel_m(item, profile) < STANDING_TRAVEL_M
    ]
    if len(standing) < 2:
        return standing[0] if standing else None
    raise ValueError(
        f"{directory}: expected one recording of quiet standing, found {standing} "
        f"(pelvis travels less than {STANDING_TRAVEL_M} m). Name the static trial with --static FILE."
    )


def _travel_m(recording: Recording, profile: Profile) -> float:
    label = profile.pelvis.right_anterior
    if label not in recording.marker_labels:
        return float("nan")
    path = recording.marker(label)
    seen = path[np.isfinite(path).all(axis=1)]
    return float(np.linalg.norm(np.ptp(seen, axis=0))) if len(seen) else float("nan")


def _render(
    directory: Path,
    target: Path,
    subject: SubjectFacts,
    cohort: str | None,
    profile: str,
    static: str | None,
    conditions: Sequence[tuple[str, str]],
    recordings: dict[str, Recording | TrialRejected],
) -> str:
    said = [item.subject for item in recordings.values() if isinstance(item, Recording)]
    where = directory.resolve()
    walks = [name for name, item in recordings.items() if name != static and isinstance(item, Recording)]
    recordings_at = "." if target.parent.resolve() == where else str(where)
    lines = [
        "# One laboratory session. Lines that begin with '#' are comments; complete those marked FILL IN.",
        "format = 1",
        "",
        "[subject]",
        f"id = {_quoted(subject.id)}",
        _entry(
            "mass_kg",
            subject.mass_kg,
            _first(block.mass_kg for block in said),
            "body mass in kilograms, as weighed on the day",
        ),
        _entry("height_m", subject.height_m, _first(block.height_m for block in said), "standing height in metres"),
        _optional("sex", subject.sex, _first(block.sex for block in said), '"F" or "M"'),
        _optional("age_y", subject.age_y, _first(block.age_y for block in said), "age in years"),
        "",
        "[session]",
        f"id = {_quoted(_safe(where.name))}",
        f"cohort = {_quoted(cohort or UNSPECIFIED)}  # the group this subject belongs to",
        f"profile = {_quoted(profile)}  # the laboratory's marker set: a packaged name or a TOML file",
        f"static = {_quoted(static)}  # quiet standing"
        if static
        else '# static = ""  # quiet standing: none was found, walks alone size the body',
        f"sizing = [{', '.join(map(_quoted, walks[:SIZING_WALKS]))}]  # walks that size the body",
        f"recordings = {_quoted(recordings_at)}  # where the C3D files are, from this file; they are only read",
        "",
        "[trials]  # file = condition",
    ]
    for name, item in recordings.items():
        if name != static:
            lines.append(_trial_line(name, item, conditions))
    return "\n".join(lines) + "\n"


def _trial_line(name: str, item: Recording | TrialRejected, conditions: Sequence[tuple[str, str]]) -> str:
    if isinstance(item, TrialRejected):
        return f'# {_quoted(name)} = ""  # can\'t be read: {item.reason}'.replace("\n", " ")
    condition = next((value for glob, value in conditions if fnmatch(name, glob)), None)
    facts = f"{len(item.time_s) / item.point_rate_hz:.2f} s, {len(item.plates)} plates"
    return f"{_quoted(name)} = {_quoted(condition or UNSPECIFIED)}  # {facts}"


def _entry(name: str, value: float | None, hint: float | str | None, meaning: str) -> str:
    if value is not None:
        return f"{name} = {value}  # {meaning}"
    advice = f" (a recording says {_toml(hint)}: check it)" if hint is not None else ""
    return f"# {name} = {_toml(hint)}  # FILL IN: {meaning}{advice}"


def _optional(name: str, value: float | str | None, hint: float | str | None, meaning: str) -> str:
    if value is not None:
        return f"{name} = {_toml(value)}"
    return f"# {name} = {_toml(hint)}  # optional: {meaning}"


def _toml(value: float | str | None) -> str:
    """A value as TOML has it, "" for none; single precision's tail of digits is no information."""
    if value is None:
        return ""
    return _quoted(value) if isinstance(value, str) else f"{value:.6g}"


def _first(values: Iterable[_Fact | None]) -> _Fact | None:
    return next((value for value in values if value is not None), None)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _safe(name: str) -> str:
    return "".join(char if char.isalnum() or char in "._-" else "_" for char in name) or "session"


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    except OSError as error:
        raise ValueError(
            f"{target} can't be written: {error.strerror}. Recordings are often read-only: "
            "choose another place with --output FILE."
        ) from error
