"""What a session that was copied into an inbox may name, and how a report is put beside it: its writer is not trusted.

Whoever can copy into the inbox must not learn or change, through whoever ingests, what they could not by themselves: no
file outside the session's own folder is read for them, none is written through a link of theirs.
"""

import errno
import functools
import json
import os
import re
import secrets
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from flows.ingesting.steps import ChainSteps
from pipeline.errors import TrialRejected
from pipeline.recordings.external_loads import naming_files, read_external_loads
from pipeline.session.session import Session, load_session
from pipeline.storing.request import SessionRequest
from pipeline.storing.staleness import SessionState
from warehouse.outcome import Outcome, SessionOutcome
from warehouse.settings_file import regular_bytes

# A report of a thousand trials has some 300 kB.
_MOST_REPORT_BYTES = 16 << 20
# Models with muscles have 1 to 5 MB.
_MOST_MODEL_BYTES = 64 << 20


def bordered(steps: ChainSteps, inbox: str, profiles: Sequence[str]) -> ChainSteps:
    """The chain's steps, each of which first checks a session that lies below the inbox: it may have been changed."""
    border = (inbox, tuple(profiles))
    return replace(
        steps,
        session_state=functools.partial(_state_within, steps.session_state, *border),
        prepare_session=functools.partial(_prepare_within, steps.prepare_session, *border),
        ingest_trial=functools.partial(_ingest_within, steps.ingest_trial, *border),
    )


# Worker processes find functions by name, and not what is defined in others.
def _state_within(step: Any, inbox: str, profiles: Sequence[str], request: SessionRequest) -> SessionState:
    _refuse_foreign(request, inbox, profiles)
    state: SessionState = step(request)
    return state


def _prepare_within(step: Any, inbox: str, profiles: Sequence[str], request: SessionRequest) -> SessionOutcome:
    _refuse_foreign(request, inbox, profiles)
    outcome: SessionOutcome = step(request)
    return outcome


def _ingest_within(step: Any, inbox: str, profiles: Sequence[str], request: SessionRequest, trial: str) -> Outcome:
    _refuse_foreign(request, inbox, profiles)
    outcome: Outcome = step(request, trial)
    return outcome


def _refuse_foreign(request: SessionRequest, inbox: str, profiles: Sequence[str]) -> None:
    file, home = Path(request.session_file).absolute(), Path(inbox).absolute()
    if not file.is_relative_to(home) and not file.resolve().is_relative_to(home.resolve()):
        return
    # What is gone is for the step itself to say.
    if os.path.lexists(file):
        if not file.parent.resolve().is_relative_to(home.resolve()):
            raise ValueError(f"{file} is reached through a link that leads out of the inbox. Copy the folder itself.")
        checked_session(file, [Path(folder) for folder in profiles])


def checked_session(file: Path, settings_folders: Sequence[Path]) -> Session:
    """A session from an inbox, opened once. ValueError if it, or what it names, is not its own folder's."""
    refuse_foreign_session_file(file)
    session = load_session(file, follow_link=False)
    refuse_what_lies_outside(session, file.parent, settings_folders)
    if session.scaled_model is not None and session.scaled_model.is_file():
        _refuse_what_model_names(session.scaled_model)
    return session


def _refuse_what_model_names(model: Path) -> None:
    """ValueError for an OpenSim model that names files elsewhere, or declares what its text stands for."""
    raw = regular_bytes(model, _MOST_MODEL_BYTES, follow_link=False)
    # UTF-16 would hide a declaration from the next line's look.
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw:
        raise ValueError(f"{model} is no model in UTF-8. Save it again with OpenSim.")
    if b"<!" in raw and re.search(rb"<!\s*(DOCTYPE|ENTITY)", raw, re.IGNORECASE):
        raise ValueError(f"{model} declares a DOCTYPE or an entity, which no model of OpenSim does. Save it again.")
    try:
        root = ElementTree.fromstring(raw)
    except ElementTree.ParseError as error:
        line, column = error.position
        raise ValueError(f"{model} is no XML (line {line}, column {column}). Save it again with OpenSim.") from error
    for element in root.iter():
        named = (element.text or "").strip()
        if element.tag.lower().endswith("file") and _leads_away(named):
            raise ValueError(
                f"{model}: <{element.tag}> names a file by a path that leads out of its folder. Name it without a path."
            )


def _leads_away(named: str) -> bool:
    return named.startswith(("/", "\\", "~")) or ":" in named or ".." in re.split(r"[/\\]", named)


def why_closed(folder: Path) -> str:
    """Why a folder is neither looked into nor written to; "" if it is, and for what is no folder."""
    try:
        if folder.is_symlink() and folder.is_dir():
            return f"{folder} is a link to a folder. Copy the folder itself into the inbox."
        if folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return f"{folder} can't be read and written by whoever runs the inbox. Give them permission."
    except OSError as error:
        return f"{folder} can't be looked at: {error.strerror}. Rename it, or give whoever runs the inbox permission."
    return ""


def refuse_foreign_session_file(file: Path) -> None:
    """ValueError if a session file is no file of its own folder: then nothing of it is read, and nothing repeated."""
    kind = file.lstat().st_mode
    if stat.S_ISLNK(kind):
        raise ValueError(f"{file} is a link. Copy the session file itself into the inbox.")
    if not stat.S_ISREG(kind):
        raise ValueError(f"{file} is no file but a folder, a pipe or a device. Save the session's settings there.")


def refuse_what_lies_outside(session: Session, folder: Path, settings_folders: Sequence[Path]) -> None:
    """ValueError if a session names a recording or model outside `folder`, or a profile outside `settings_folders`.

    Links count as what they lead to. Packaged profiles lie nowhere and are free.
    """
    home = folder.resolve()
    for path in files_of(session):
        if not path.resolve().is_relative_to(home):
            raise ValueError(
                f"{session.file} names {path.name}, which lies outside its own folder (or is a link that leads out of "
                "it). Copy the file itself beside session.toml."
            )
        if path.exists() and not path.is_file():
            raise ValueError(f"{session.file} names {path.name}, which is no file but a folder, a pipe or a device.")
    if session.profile.endswith(".toml"):
        profile = Path(session.profile).resolve()
        if not any(profile.is_relative_to(allowed.resolve()) for allowed in settings_folders):
            raise ValueError(
                f"{session.file}: profile {profile.name} is neither packaged nor in one of the inbox's folders of "
                "profiles. Whoever runs the inbox puts it there and lists the folder as `profiles` of [ingest_inbox]."
            )
    elif Path(session.profile).name != session.profile:
        raise ValueError(f"{session.file}: profile {session.profile!r} is neither a packaged profile's name nor .toml.")


def files_of(session: Session) -> tuple[Path, ...]:
    """Every file that a session is made of: those that it names, and those that these name in turn."""
    named = list(session.files)
    for forces in (trial.forces for trial in session.trials if trial.forces):
        if forces.suffix.lower() != ".xml":
            named += naming_files(forces)
        elif forces.is_file():
            named.append(_data_file(forces))
    return tuple(dict.fromkeys(named))


def _data_file(loads: Path) -> Path:
    try:
        return loads.parent / (read_external_loads(loads).data_file or loads.name)
    except TrialRejected:
        # The trial's own rejection says what is wrong with it.
        return loads


def read_report(path: Path) -> dict[str, Any]:
    """What a report beside a session says; {} where there is none, or not one of ours."""
    try:
        report = json.loads(regular_bytes(path, _MOST_REPORT_BYTES, follow_link=False).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        # Looking again costs little and loses nothing.
        return {}
    return report if isinstance(report, dict) else {}


def put_report(path: Path, text: str) -> None:
    """Write a report, whole or not at all, and never through a link. OSError if it can't be put there."""
    content = text.encode("utf-8", "backslashreplace")
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder has the report's name", str(path))
    # The same words again would only wake whatever watches the folder.
    if _holds(path, content):
        return
    # A name that nobody can have prepared a link under.
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with partial.open("xb") as file:
            file.write(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _holds(path: Path, content: bytes) -> bool:
    try:
        return regular_bytes(path, len(content), follow_link=False) == content
    except (OSError, ValueError):
        return False
