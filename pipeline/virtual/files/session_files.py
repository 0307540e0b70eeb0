"""One virtual session on disk, as a laboratory leaves it, with its truth; the folder appears whole or not at all."""

import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.session.session import SESSION_FILE
from pipeline.virtual.files.recording_file import c3d_file
from pipeline.virtual.files.truth import blemish_truth, ground_truth, motion_truth
from pipeline.virtual.instruments.capture import Capture
from pipeline.virtual.records import VirtualSubject
from pipeline.virtual.request import NOTE

STATIC = "static"


def session_content(
    subject: VirtualSubject,
    cohort: str,
    session: str,
    profile: str,
    standing: Capture,
    walks: Mapping[str, tuple[str, Capture]],
) -> dict[str, bytes]:
    """Every file of a session by its path in the folder. `walks`: by trial name, its condition and its capture."""
    captures = {STATIC: standing, **{name: capture for name, (_, capture) in walks.items()}}
    conditions = {name: condition for name, (condition, _) in walks.items()}
    content = {SESSION_FILE: _session_toml(subject, cohort, session, profile, conditions).encode()}
    for name, capture in captures.items():
        content[f"{name}.c3d"] = c3d_file(capture, subject, cohort).content()
        content[f"truth/{name}.motion.parquet"] = motion_truth(capture.performance)
        content[f"truth/{name}.ground.parquet"] = ground_truth(capture.performance)
    marks = [(name, mark) for name, capture in captures.items() for mark in capture.marks]
    content["truth/blemishes.parquet"] = blemish_truth(marks)
    return content


def write_session_folder(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write a new folder under a temporary name, then rename it. ValueError if it can't be written."""
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        for name, data in content.items():
            file = part / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        part.rename(folder)
    except OSError as error:
        raise ValueError(f"{folder} can't be written: {error.strerror}. Choose another folder, or free it.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _session_toml(
    subject: VirtualSubject, cohort: str, session: str, profile: str, conditions: Mapping[str, str]
) -> str:
    lines: Sequence[str] = (
        f"# One session of the virtual laboratory: {NOTE}. Nobody walked here; truth/ says what was to be measured.",
        "format = 1",
        "",
        "[subject]",
        f'id = "{subject.subject_id}"',
        f"mass_kg = {subject.mass_kg!r}",
        f"height_m = {subject.height_m!r}",
        f'sex = "{subject.sex}"',
        f"age_y = {subject.age_y!r}",
        "",
        "[session]",
        f'id = "{session}"',
        f'cohort = "{cohort}"  # {NOTE}',
        f'profile = "{profile}"',
        f'static = "{STATIC}.c3d"',
        'recordings = "."',
        "",
        "[trials]  # file = condition",
        *(f'"{name}.c3d" = "{condition}"' for name, condition in conditions.items()),
    )
    return "\n".join(lines) + "\n"
