"""What the benchmark drops into an inbox is what it says, and it plans as many trials as it says."""

import random
from pathlib import Path

from benchmarks.scale import drop, measure_flow, measure_plan
from flows.ingesting.inbox import Inbox
from tests.flows.ingesting.test_inbox import copy_session


def test_whole_half_copied_and_broken_sessions_are_told_apart(tmp_path: Path) -> None:
    laboratory = tmp_path / "laboratory"
    sessions = [copy_session(laboratory, f"S{number:02}") for number in range(20)]
    inbox = tmp_path / "inbox"

    assert drop(sessions, inbox, random.Random(1)) == 4

    looking = Inbox(folder=inbox, settle_s=1.0)
    looking.sort(0.0)
    found = looking.sort(1.0)
    assert sorted(one.folder.name for one in found.whole) == [f"whole-laboratory-S{number:02}" for number in range(20)]
    assert [one.folder.name for one in found.broken if one.awaited] == ["half-laboratory-S00", "half-laboratory-S10"]
    assert [one.folder.name for one in found.broken if one.problem] == [
        "broken-laboratory-S00",
        "broken-laboratory-S10",
    ]


def test_as_many_trials_are_planned_and_flown_as_asked(tmp_path: Path) -> None:
    for found in (measure_plan(tmp_path / "plan", 30), measure_flow(30)):
        assert found.n_trials == 30 and found.seconds > 0
