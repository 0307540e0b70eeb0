"""Write a commented `session.toml` from what the recordings say; what they can't say is left to be filled in."""

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from itertools import chain, count
from pathlib import Path
from typing import TypeVar

from pipeline.errors import TrialRejected
from pipeline.landmarks.recognise import read_labels
from pipeline.recordings.read_recording import read_recording
from pipeline.records import Recording
from pipeline.session.load_profile import BY_LABELS, fixed_profiles, load_profile, telling_recordings
from pipeline.session.profile import Profile
from pipeline.session.propose_profile import propose_profile
from pipeline.session.session import RECORDING_SUFFIXES, SESSION_FILE, SIZING_WALKS, forces_beside, load_session
from pipeline.session.standing import ChosenStatic, choose_static, is_standing
from pipeline.session.stated_facts import SubjectFacts, check_facts, contradictions

_Fact = TypeVar("_Fact", float, str)

# What stands where a label was not given: said, not guessed.
UNSPECIFIED = "unspecified"
# They stand in for what is left to fill in while the rest of a session file is checked; nothing is written of them.
_ANY_MASS_KG = 50.0
_ANY_HEIGHT_M = 1.5
_NAMED_UNKNOWN = 12
# Text files that may hold ground reactions.
_FORCE_FILES = (".mot", ".sto")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSession:
    """A session file that was just written.

    `kept` is where the file that stood there before is now; `notes` say what was chosen, `contradictions` what of the
    user's figures the recordings contradict, `missing` which entries are left to fill in, by what a recording says.
    """

    file: Path
    kept: Path | None
    notes: tuple[str, ...]
    contradictions: tuple[str, ...]
    missing: tuple[str, ...]


def init_session(
    directory: Path,
    *,
    subject: SubjectFacts,
    cohort: str | None = None,
    profile: str | None = None,
    static: str | None = None,
    conditions: Sequence[tuple[str, str]] = (),
    output: Path | None = None,
    force: bool = False,
) -> WrittenSession:
    """Inspect a folder of C3D and TRC files, write its session file and say where it is.

    `conditions` are (glob, name) pairs, the first match wins; a walk that none matches is "unspecified", and so is
    a cohort that isn't given. A mass or height that isn't given is left as a comment, with what a recording says
    of it, for the user to complete. `force` keeps a session file that is there beside the new one. ValueError, and
    nothing is written, for what the user typed wrong, a folder without recordings, or a file that exists already.
    """
    check_facts(subject, cohort)
    recordings = _readable(directory)
    target = output or directory / SESSION_FILE
    _refuse_occupied(target, force)
    profile = _absolute(profile) if profile else _matching_profile(directory, recordings)
    markers = load_profile(profile, _with_known_labels(recordings))
    chosen = _static_of(directory, recordings, static, markers)
    _refuse_without_walks(directory, recordings, chosen)
    _refuse_idle_conditions(conditions, recordings, chosen)

    def text(facts: SubjectFacts) -> str:
        return _render(directory, target, facts, cohort, profile, chosen, conditions, recordings)

    complete = replace(subject, mass_kg=subject.mass_kg or _ANY_MASS_KG, height_m=subject.height_m or _ANY_HEIGHT_M)
    _require_loads(target, text(complete))
    kept = _write(target, text(subject))
    read = {name: item for name, item in recordings.items() if isinstance(item, Recording)}
    return WrittenSession(
        file=target,
        kept=kept,
        notes=tuple(_notes(markers, chosen, recordings)),
        contradictions=tuple(contradictions(subject, read, chosen.name)),
        missing=tuple(_missing(subject, read.values())),
    )


def _readable(directory: Path) -> dict[str, Recording | TrialRejected]:
    if not directory.is_dir():
        raise ValueError(f"{directory} is not a folder. Give the folder that holds the session's recordings.")
    files = sorted(path for path in directory.iterdir() if path.suffix.lower() in RECORDING_SUFFIXES)
    if not files:
        raise ValueError(
            f"{directory} holds no recording ({', '.join(RECORDING_SUFFIXES)}). Give the folder that holds them."
        )
    recordings: dict[str, Recording | TrialRejected] = {}
    for path in files:
        try:
            recordings[path.name] = read_recording(path, forces_beside(path))
        except TrialRejected as error:
            recordings[path.name] = error
    return recordings


def _absolute(profile: str) -> str:
    """A profile's file by its whole path, since session.toml may lie elsewhere; a packaged name as it is."""
    return str(Path(profile).resolve()) if Path(profile).is_file() else profile


def _matching_profile(directory: Path, recordings: dict[str, Recording | TrialRejected]) -> str:
    """A packaged profile whose markers are here, else the one that takes what labels mean. ValueError if they don't."""
    labels = [set(item.marker_labels) for item in recordings.values() if isinstance(item, Recording)]
    for name in fixed_profiles():
        needed = set(load_profile(name).required_labels)
        if any(needed <= present for present in labels):
            return name
    try:
        load_profile(BY_LABELS, _with_known_labels(recordings))
    except ValueError as error:
        raise ValueError(
            f"{directory}: none of the packaged profiles ({', '.join(fixed_profiles())}) has its markers in these "
            f"files, and their labels don't tell enough: {error} Pass it with --profile."
        ) from error
    return BY_LABELS


def _with_known_labels(recordings: Mapping[str, Recording | TrialRejected]) -> list[frozenset[str]]:
    return telling_recordings(
        [frozenset(item.marker_labels) for item in recordings.values() if isinstance(item, Recording)]
    )


def _static_of(
    directory: Path, recordings: dict[str, Recording | TrialRejected], named: str | None, profile: Profile
) -> ChosenStatic:
    """The static trial that the user names, or the recordings tell. ValueError if it can't be read or told."""
    readable = {name: item for name, item in recordings.items() if isinstance(item, Recording)}
    if named is None:
        try:
            return choose_static(readable, profile)
        except ValueError as error:
            raise ValueError(f"{directory}: {error}") from error
    unreadable = recordings.get(named)
    if isinstance(unreadable, TrialRejected):
        raise ValueError(f"--static {named} can't be read: {unreadable.reason}")
    if unreadable is None:
        raise ValueError(
            f"--static {named!r} is none of the recordings in {directory}: {', '.join(sorted(readable))}. Give one of "
            "these names, without a folder."
        )
    others = (name for name, item in readable.items() if name != named and is_standing(item, profile))
    return ChosenStatic(name=named, others=tuple(others))


def _refuse_without_walks(
    directory: Path, recordings: dict[str, Recording | TrialRejected], static: ChosenStatic
) -> None:
    if not any(isinstance(recordings[name], Recording) for name in _walks(recordings, static)):
        unreadable = [item.reason for item in recordings.values() if isinstance(item, TrialRejected)]
        raise ValueError(
            f"{directory} holds no walk that can be read; it has {', '.join(recordings)}. "
            f"{' '.join(unreadable) or 'All of these stand.'} Put the session's walks there."
        )


def _walks(recordings: Iterable[str], static: ChosenStatic) -> list[str]:
    return [name for name in recordings if name != static.name and name not in static.others]


def _refuse_occupied(target: Path, force: bool) -> None:
    if target.is_dir():
        raise ValueError(f"--output {target} is a folder, expected the file to write: {target / SESSION_FILE}.")
    if target.exists() and not force:
        raise ValueError(
            f"{target} exists already and is not overwritten. Edit it, or write it again with --force, which keeps the "
            "old one beside it."
        )


def _refuse_idle_conditions(
    conditions: Sequence[tuple[str, str]], recordings: Iterable[str], static: ChosenStatic
) -> None:
    """ValueError for a pattern that no walk's file name fits: a slip would leave walks without their condition."""
    walks = _walks(recordings, static)
    idle = [f"{glob}={name}" for glob, name in conditions if not any(fnmatch(walk, glob) for walk in walks)]
    if idle:
        raise ValueError(
            f"--condition {', '.join(map(repr, idle))} matches no walk. The walks are {', '.join(walks)}; "
            "a pattern must fit a whole file name, as '*slow*=slow' does. Nothing was written."
        )


def _require_loads(target: Path, text: str) -> None:
    """ValueError if the text would be no session file, once mass and height are filled in."""
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as folder:
        file = Path(folder, SESSION_FILE)
        file.write_text(text, "utf-8")
        try:
            load_session(file)
        except ValueError as error:
            raise ValueError(f"{str(error).replace(str(file), str(target))} Nothing was written.") from error


def _notes(profile: Profile, static: ChosenStatic, recordings: dict[str, Recording | TrialRejected]) -> Iterable[str]:
    yield f"profile: {profile.name}"
    if profile.name == BY_LABELS:
        over_bone = [label for label, marker in profile.markers.items() if marker.landmark]
        technical = [label for label, marker in profile.markers.items() if not marker.landmark]
        yield f"  {len(over_bone)} labels are known landmarks, {len(technical)} technical markers of a known segment"
        labels = {label for item in recordings.values() if isinstance(item, Recording) for label in item.marker_labels}
        unknown = read_labels(sorted(labels)).unknown
        if unknown:
            more = f" and {len(unknown) - _NAMED_UNKNOWN} more" if len(unknown) > _NAMED_UNKNOWN else ""
            yield f"  not recognised, and not used: {', '.join(unknown[:_NAMED_UNKNOWN])}{more}"
        read = [item for item in recordings.values() if isinstance(item, Recording)]
        yield from (f"  {sentence}" for sentence in propose_profile(BY_LABELS, read).undetermined)
        yield "  `gait2hip profile` shows what each label was taken for"
    if static.name is None:
        yield "static trial: none found (pelvis and both feet still); walks alone size the body"
    else:
        yield f"static trial: {static.name}"
    yield from _said_of_forces(_unforced(static, recordings))
    if static.why:
        yield f"  of {1 + len(static.others)} that stand: it {static.why}. --static FILE takes another"
    for item in recordings.values():
        if isinstance(item, TrialRejected):
            yield f"left out: {item.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unforced:
    """Whether no walk that can be read has ground reactions, and files of the folder that may hold them."""

    everywhere: bool
    files: tuple[str, ...]

    @property
    def kinematics_only(self) -> bool:
        """Whether nothing but joint angles can be asked for."""
        return self.everywhere and not self.files


def _unforced(static: ChosenStatic, recordings: Mapping[str, Recording | TrialRejected]) -> _Unforced:
    walks = [item for name in _walks(recordings, static) if isinstance(item := recordings[name], Recording)]
    files = sorted({path.name for item in walks for path in item.path.parent.iterdir() if path.suffix in _FORCE_FILES})
    return _Unforced(everywhere=not any(item.plates or forces_beside(item.path) for item in walks), files=tuple(files))


def _said_of_forces(unforced: _Unforced) -> Iterable[str]:
    if unforced.kinematics_only:
        yield "no walk has force plates: kinematics_only = true is written, and joint angles alone are stored"
    elif unforced.everywhere:
        yield (
            f"no walk has ground reactions by its name; the folder has {', '.join(unforced.files)}. If a file holds a "
            'walk\'s, write it in session.toml: "walk.trc" = {condition = "...", forces = "FILE"}; if none does, write '
            "kinematics_only = true under [session]"
        )


def _missing(subject: SubjectFacts, recordings: Iterable[Recording]) -> Iterable[str]:
    """The entries to fill in, each with what the first recording that states it says."""
    said = [item.subject for item in recordings]
    for name, unit, value in (("mass_kg", "kg", subject.mass_kg), ("height_m", "m", subject.height_m)):
        if value is None:
            hint = _first(getattr(block, name) for block in said)
            yield name if hint is None else f"{name} (a recording says {_toml(hint)} {unit})"


def _render(
    directory: Path,
    target: Path,
    subject: SubjectFacts,
    cohort: str | None,
    profile: str,
    static: ChosenStatic,
    conditions: Sequence[tuple[str, str]],
    recordings: dict[str, Recording | TrialRejected],
) -> str:
    said = [item.subject for item in recordings.values() if isinstance(item, Recording)]
    where = directory.resolve()
    walks = [name for name in _walks(recordings, static) if isinstance(recordings[name], Recording)]
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
        f"static = {_quoted(static.name)}  # quiet standing"
        if static.name
        else '# static = ""  # quiet standing: none was found, walks alone size the body',
        f"sizing = [{', '.join(map(_quoted, walks[:SIZING_WALKS]))}]  # walks that size the body",
        f"recordings = {_quoted(recordings_at)}  # where the recordings are, from this file; they are only read",
    ]
    if _unforced(static, recordings).kinematics_only:
        lines.append("kinematics_only = true  # no walk has force plates: joint angles alone, no moments and no forces")
    lines += ["", "[trials]  # file = condition"]
    lines += [_trial_line(name, recordings[name], conditions) for name in _walks(recordings, static)]
    lines += [f'# {_quoted(name)} = ""  # stands too' for name in static.others]
    return "\n".join(lines) + "\n"


def _trial_line(name: str, item: Recording | TrialRejected, conditions: Sequence[tuple[str, str]]) -> str:
    if isinstance(item, TrialRejected):
        return f'# {_quoted(name)} = ""  # can\'t be read: {item.reason}'.replace("\n", " ")
    condition = next((value for glob, value in conditions if fnmatch(name, glob)), None)
    forces = f"forces from {beside.name}" if (beside := forces_beside(item.path)) else f"{len(item.plates)} plates"
    facts = f"{len(item.time_s) / item.point_rate_hz:.2f} s, {forces}"
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
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in escaped) + '"'


def _safe(name: str) -> str:
    """A session's name from a folder's, fit for a path."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip("._-")[:64] or "session"


def _write(target: Path, text: str) -> Path | None:
    """Write the file whole; where one stood, it is moved aside first, and that is where it is now."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_text(text, "utf-8")
        kept = _aside(target) if target.exists() else None
        if kept:
            target.rename(kept)
        fresh.rename(target)
    except OSError as error:
        raise ValueError(
            f"{target} can't be written: {error.strerror}. Recordings are often read-only: "
            "choose another place with --output FILE."
        ) from error
    return kept


def _aside(target: Path) -> Path:
    """The first free name for a file that makes room: session.toml.bak, session.toml.2.bak, ..."""
    names = chain([f"{target.name}.bak"], (f"{target.name}.{number}.bak" for number in count(2)))
    return next(target.with_name(name) for name in names if not target.with_name(name).exists())
