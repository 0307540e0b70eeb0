"""What a session that was copied into an inbox may name, and how a report is put beside it: its writer is not trusted.

Whoever can copy into the inbox must not learn or change, through whoever ingests, what they could not by themselves: no
file outside the session's own folder is read for them, none is written through a link of theirs.
"""

import errno
import json
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import TrialRejected
from pipeline.recordings.external_loads import naming_files, read_external_loads
from pipeline.session.session import Session

# A report of a thousand trials has some 300 kB.
_MOST_REPORT_BYTES = 16 << 20


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
        kind = path.lstat()
        if not stat.S_ISREG(kind.st_mode) or kind.st_size > _MOST_REPORT_BYTES:
            return {}
        report = json.loads(path.read_text("utf-8"))
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
    if (
        path.is_file()
        and not path.is_symlink()
        and path.stat().st_size == len(content)
        and path.read_bytes() == content
    ):
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
