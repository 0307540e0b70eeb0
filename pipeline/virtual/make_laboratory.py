"""The whole virtual laboratory: the request is checked before anything is written, then sessions are made in turn.

`make_session` takes plain values and writes the same bytes whatever other sessions there are: every random stream is
named by seed, cohort, subject, purpose, condition and trial.
"""

from collections.abc import Callable, Iterator
from enum import IntEnum
from pathlib import Path

import numpy as np

from pipeline.session.load_profile import load_profile
from pipeline.virtual.dynamics.stand import stand
from pipeline.virtual.files.session_files import session_content, write_session_folder
from pipeline.virtual.instruments.capture import Capture, capture_standing, capture_walk
from pipeline.virtual.instruments.marker_blemishes import draw_skin
from pipeline.virtual.laboratory import Heading
from pipeline.virtual.person.anthropometry import draw_subject
from pipeline.virtual.person.body import make_body
from pipeline.virtual.records import Condition, VirtualSubject
from pipeline.virtual.request import CADENCE_CONDITIONS, COHORTS, Request, refuse_occupied
from pipeline.virtual.walk import own_gait, walk

PROFILE = "isb_full_body"
SESSION_ID = "session-1"
HEADINGS: tuple[Heading, Heading] = ("+y", "-y")


class _Purpose(IntEnum):
    """What a random stream is for. These numbers never change: they are part of what a seed means."""

    BODY = 0
    STYLE = 1
    MARKERS = 2
    SKIN = 3
    STANDING = 4
    WALK = 5
    INSTRUMENTS = 6


def make_laboratory(request: Request, on_session: Callable[[Path], None]) -> list[Path]:
    """Write every session and return their folders; each is reported as soon as it is there.

    ValueError if the directory holds something already, or can't be written.
    """
    refuse_occupied(request.directory)
    folders = []
    for number in range(1, request.subjects + 1):
        folders.append(make_session(request, number))
        on_session(folders[-1])
    return folders


def make_session(request: Request, number: int) -> Path:
    """Make and write the session of one subject, by number from 1; its folder appears whole or not at all."""
    subject = draw_subject(request.cohort, number, _stream(request, number, _Purpose.BODY))
    return make_session_of(subject, request, number)


def make_session_of(subject: VirtualSubject, request: Request, number: int) -> Path:
    """The same for a given subject; `number` names the random streams of its gait and its session."""
    standing, walks = _captures(subject, request, number)
    folder = request.directory / subject.subject_id / SESSION_ID
    write_session_folder(folder, session_content(subject, request.cohort_name, SESSION_ID, PROFILE, standing, walks))
    return folder


def _captures(
    subject: VirtualSubject, request: Request, number: int
) -> tuple[Capture, dict[str, tuple[Condition, Capture]]]:
    """The static trial and, by name, every walk with its condition."""
    profile, settings = load_profile(PROFILE), request.blemishes
    placement_sd_m = settings.marker_placement_mm * 1e-3
    body = make_body(subject, profile, placement_sd_m, _stream(request, number, _Purpose.MARKERS))
    style = own_gait(body, _stream(request, number, _Purpose.STYLE))
    still = stand(body)
    standing = capture_standing(still, settings, _stream(request, number, _Purpose.STANDING))
    skin = draw_skin(still.marker_names, profile, settings, _stream(request, number, _Purpose.SKIN))
    walks = {}
    for condition, trial in _trials(request):
        performance = walk(body, style, condition, _stream(request, number, _Purpose.WALK, condition, trial))
        instruments = _stream(request, number, _Purpose.INSTRUMENTS, condition, trial)
        heading = HEADINGS[(trial - 1) % 2]
        capture = capture_walk(performance, profile, heading, skin, settings, instruments)
        walks[f"walk_{condition}_{trial:02d}"] = condition, capture
    return standing, walks


def _trials(request: Request) -> Iterator[tuple[Condition, int]]:
    return ((condition, trial) for condition in request.conditions for trial in range(1, request.trials + 1))


def _stream(
    request: Request, number: int, purpose: _Purpose, condition: Condition | None = None, trial: int = 0
) -> np.random.Generator:
    """The random stream of one purpose: the same whatever else was requested."""
    of_condition = 0 if condition is None else 1 + CADENCE_CONDITIONS.index(condition)
    name = (COHORTS.index(request.cohort), number, int(purpose), of_condition, trial)
    return np.random.default_rng(np.random.SeedSequence(request.seed, spawn_key=name))
