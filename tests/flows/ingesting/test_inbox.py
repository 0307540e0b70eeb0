"""What is taken from an inbox, and when: whole sessions once, the rest never lost and never half taken."""

import hashlib
import json
import os
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from flows.ingesting.inbox import MOST_TRIES, REPORT_JSON, REPORT_TEXT, Inbox, Sorted, take
from flows.ingesting.report import IngestReport, Refusal
from tests.warehouse.one_file import write_row
from tests.warehouse.samples import MADE, trial_row
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome, Rejection

SETTLE_S = 10.0


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def warehouse(tmp_path: Path) -> str:
    return str(tmp_path / "warehouse")


def copy_session(inbox: Path, subject: str, *, without: Sequence[str] = (), folder: str | None = None) -> Path:
    target = inbox / (folder or subject)
    target.mkdir(parents=True)
    for name in ("static.c3d", "walk.c3d"):
        if name not in without:
            (target / name).write_bytes(b"recording")
    (target / "session.toml").write_text(
        f'format = 1\n[subject]\nid = "{subject}"\nmass_kg = 70\nheight_m = 1.7\n'
        '[session]\nid = "s1"\ncohort = "adults"\nprofile = "any"\nstatic = "static.c3d"\n'
        '[trials]\n"walk.c3d" = "slow"\n'
    )
    return target


def settled(inbox: Path) -> Sorted:
    """What a look finds after nothing has moved for long enough."""
    looking = Inbox(folder=inbox, settle_s=SETTLE_S)
    looking.sort(0.0)
    return looking.sort(SETTLE_S)


def names(arrivals: Sequence) -> list[str]:
    return [arrival.folder.name for arrival in arrivals]


class Ingest:
    """Accepts every session it is given, and counts."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def __call__(self, files: Sequence[Path]) -> IngestReport:
        self.taken += [file.parent.name for file in files]
        keys = [SessionKey(cohort="adults", subject=file.parent.name, session="s1") for file in files]
        outcomes = [Outcome(key=key.of_trial("walk"), n_cycles=3) for key in keys]
        return IngestReport(outcomes=tuple(outcomes), refused=())


def test_a_session_is_taken_when_it_has_stopped_changing(inbox: Path) -> None:
    folder = copy_session(inbox, "S01")
    looking = Inbox(folder=inbox, settle_s=SETTLE_S)
    assert names(looking.sort(0.0).coming) == ["S01"]
    (folder / "walk.c3d").write_bytes(b"recording, and more of it")
    assert names(looking.sort(SETTLE_S).coming) == ["S01"]
    assert names(looking.sort(2 * SETTLE_S - 0.1).coming) == ["S01"]
    assert names(looking.sort(2 * SETTLE_S).whole) == ["S01"]


def test_a_session_is_taken_once_and_again_when_a_file_changes(inbox: Path, warehouse: str) -> None:
    folder = copy_session(inbox, "S01")
    ingest = Ingest()
    take(settled(inbox), warehouse, ingest)
    assert names(settled(inbox).done) == ["S01"]
    take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S01"]

    os.utime(folder / "walk.c3d", ns=(0, 0))
    take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S01", "S01"]


def test_its_report_says_what_became_of_each_trial(inbox: Path, warehouse: str) -> None:
    folder = copy_session(inbox, "S01")
    key = SessionKey(cohort="adults", subject="S01", session="s1")

    def run(files: Sequence[Path]) -> IngestReport:
        rejected = Outcome(
            key=key.of_trial("bad"), rejection=Rejection(stage="read_c3d", reason="bad.c3d is cut short")
        )
        accepted = Outcome(key=key.of_trial("walk"), n_cycles=3)
        return IngestReport(outcomes=(rejected, accepted), refused=())

    take(settled(inbox), warehouse, run)
    text = (folder / REPORT_TEXT).read_text("utf-8")
    assert text.startswith("1 accepted, 1 rejected: 1 read c3d; 3 gait cycles")
    assert "bad: rejected at read_c3d: bad.c3d is cut short" in text and "walk: accepted, 3 gait cycles" in text
    stored = json.loads((folder / REPORT_JSON).read_text("utf-8"))
    assert [trial["status"] for trial in stored["trials"]] == ["rejected", "accepted"]


def test_a_half_copied_session_waits_and_is_taken_when_the_rest_has_come(inbox: Path, warehouse: str) -> None:
    folder = copy_session(inbox, "S01", without=["walk.c3d"])
    ingest = Ingest()
    found = settled(inbox)
    assert names(found.broken) == ["S01"]
    take(found, warehouse, ingest)
    assert "walk.c3d" in (folder / REPORT_TEXT).read_text("utf-8") and not ingest.taken
    assert names(settled(inbox).broken) == ["S01"]

    (folder / "walk.c3d").write_bytes(b"recording")
    take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S01"]


@pytest.mark.parametrize(
    ("content", "told"), [("format = ", "is not valid TOML"), ("format = 1\n[subject]\nid='S'\n", "mass_kg")]
)
def test_an_invalid_session_is_reported_and_the_others_are_taken(
    inbox: Path, warehouse: str, content: str, told: str
) -> None:
    broken = copy_session(inbox, "S01")
    (broken / "session.toml").write_text(content)
    copy_session(inbox, "S02")
    ingest = Ingest()
    take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S02"]
    assert told in (broken / REPORT_TEXT).read_text("utf-8")


def test_recordings_without_a_session_file_are_reported(inbox: Path, warehouse: str) -> None:
    folder = copy_session(inbox, "S01")
    (folder / "session.toml").unlink()
    take(settled(inbox), warehouse, Ingest())
    assert "gait2hip init-session" in (folder / REPORT_TEXT).read_text("utf-8")


def test_recordings_below_their_session_file_are_no_strays(inbox: Path) -> None:
    folder = copy_session(inbox, "S01")
    (folder / "c3d").mkdir()
    for name in ("static.c3d", "walk.c3d"):
        shutil.move(folder / name, folder / "c3d" / name)
    toml = folder / "session.toml"
    toml.write_text(toml.read_text().replace("[trials]", 'recordings = "c3d"\n[trials]'))
    assert names(settled(inbox).whole) == ["S01"] and not settled(inbox).broken


def test_a_refused_session_is_told_so(inbox: Path, warehouse: str) -> None:
    folder = copy_session(inbox, "S01")

    def refuse(files: Sequence[Path]) -> IngestReport:
        return IngestReport(outcomes=(), refused=(Refusal(session=str(files[0]), reason="no such profile"),))

    taken = take(settled(inbox), warehouse, refuse)
    assert taken.report.refused and "no such profile" in (folder / REPORT_TEXT).read_text("utf-8")
    # What kept it out is put right, and nothing in its folder has changed.
    ingest = Ingest()
    take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S01"] and "not ingested" not in (folder / REPORT_TEXT).read_text("utf-8")


KEY = SessionKey(cohort="adults", subject="S01", session="s1")


def remember(folder: Path, warehouse: str) -> None:
    source = SessionSource(key=KEY, session_file=str(folder / "session.toml"), recipe="any", model=None)
    remember_source(Warehouse(warehouse), source)


def store_accepted(warehouse: str, recording: bytes) -> None:
    """The warehouse's accepted trial of the session, and which recording it was made of."""
    row = trial_row() | {"source_sha256": hashlib.sha256(recording).hexdigest()}
    write_row(Warehouse(warehouse), "trials", KEY.of_trial("walk"), row, **MADE)


def test_a_copy_of_a_session_does_not_take_its_place_until_the_other_is_gone(inbox: Path, warehouse: str) -> None:
    first = copy_session(inbox, "S01")
    remember(first, warehouse)
    copy = copy_session(inbox, "S01", folder="S01-copy")
    ingest = Ingest()
    take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S01"]
    told = (copy / REPORT_TEXT).read_text("utf-8")
    assert "adults/S01/s1" in told and "one would overwrite the other" in told and "accepted" not in told

    shutil.rmtree(first)
    take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S01", "S01-copy"]


def test_a_session_that_was_moved_is_known_by_its_recordings(inbox: Path, warehouse: str) -> None:
    remember(inbox / "gone", warehouse)
    store_accepted(warehouse, b"recording")
    copy_session(inbox, "S01")
    ingest = Ingest()
    take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S01"]


def test_other_recordings_never_take_the_place_of_a_session_that_is_gone(inbox: Path, warehouse: str) -> None:
    remember(inbox / "gone", warehouse)
    store_accepted(warehouse, b"what somebody else walked")
    folder = copy_session(inbox, "S01")
    ingest = Ingest()
    take(settled(inbox), warehouse, ingest)
    assert not ingest.taken
    assert "which is gone, from other recordings" in (folder / REPORT_TEXT).read_text("utf-8")


def test_a_fault_that_may_pass_is_tried_again_some_times(inbox: Path, warehouse: str) -> None:
    copy_session(inbox, "S01")
    tried = 0

    def full(files: Sequence[Path]) -> IngestReport:
        nonlocal tried
        tried += 1
        outcome = Outcome(key=KEY.of_trial("walk"), rejection=Rejection(stage="storing", reason="the disk is full"))
        return IngestReport(outcomes=(outcome,), refused=())

    for _ in range(MOST_TRIES + 2):
        take(settled(inbox), warehouse, full)
    assert tried == MOST_TRIES and names(settled(inbox).done) == ["S01"]


def test_a_folder_that_can_t_be_written_stops_no_other(inbox: Path, warehouse: str) -> None:
    (copy_session(inbox, "S01") / REPORT_TEXT).mkdir()
    broken = copy_session(inbox, "S02", without=["walk.c3d"])
    (broken / REPORT_TEXT).mkdir()
    copy_session(inbox, "S03")
    ingest = Ingest()
    taken = take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S01", "S03"]
    assert len(taken.unwritten) == 2 and str(broken) in taken.unwritten[1]
    assert names(settled(inbox).done) == ["S03"]


def test_recordings_that_are_not_listed_are_told(inbox: Path, warehouse: str) -> None:
    folder = copy_session(inbox, "S01")
    (folder / "walk_02.c3d").write_bytes(b"recording")
    (inbox / "#recycle").mkdir()
    (inbox / "#recycle" / "old.c3d").write_bytes(b"recording")
    take(settled(inbox), warehouse, Ingest())
    assert "not in session.toml, and not looked at: walk_02.c3d" in (folder / REPORT_TEXT).read_text("utf-8")
    assert names(settled(inbox).done) == ["S01"]


def test_what_was_interrupted_is_taken_again(inbox: Path, warehouse: str) -> None:
    copy_session(inbox, "S01")

    def killed(files: Sequence[Path]) -> IngestReport:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(settled(inbox), warehouse, killed)
    ingest = Ingest()
    take(settled(inbox), warehouse, ingest)
    assert ingest.taken == ["S01"]


def test_an_inbox_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a folder"):
        Inbox(folder=tmp_path / "none").sort(0.0)


def test_sixty_sessions_in_any_order_some_of_them_half_there_or_broken(inbox: Path, warehouse: str) -> None:
    rng = random.Random(60)
    kinds = ["whole"] * 40 + ["half"] * 10 + ["broken"] * 10
    rng.shuffle(kinds)
    ingest, looking, now_s = Ingest(), Inbox(folder=inbox, settle_s=SETTLE_S), 0.0
    for number, kind in enumerate(kinds):
        folder = copy_session(inbox, f"S{number:02d}", without=["walk.c3d"] if kind == "half" else ())
        if kind == "broken":
            (folder / "session.toml").write_text("format = 1\n[subject]\n")
        if rng.random() < 0.3:
            now_s += SETTLE_S * rng.random()
            take(looking.sort(now_s), warehouse, ingest)
    take(looking.sort(now_s + SETTLE_S), warehouse, ingest)
    take(looking.sort(now_s + 2 * SETTLE_S), warehouse, ingest)

    whole = [f"S{number:02d}" for number, kind in enumerate(kinds) if kind == "whole"]
    assert sorted(ingest.taken) == whole
    told = {folder.name: (folder / REPORT_TEXT).read_text("utf-8") for folder in inbox.iterdir()}
    assert len(told) == 60
    assert sum("names files that have not come" in text for text in told.values()) == 10
    assert sum("not ingested" in text for text in told.values()) == 20
    assert all((inbox / name / "session.toml").is_file() for name in told)

    for number, kind in enumerate(kinds):
        if kind == "half":
            (inbox / f"S{number:02d}" / "walk.c3d").write_bytes(b"recording")
    looking.sort(now_s + 3 * SETTLE_S)
    take(looking.sort(now_s + 4 * SETTLE_S), warehouse, ingest)
    assert len(ingest.taken) == len(set(ingest.taken)) == 50


def test_a_trial_of_kinematics_only_is_not_told_as_accepted(inbox: Path, warehouse: str) -> None:
    folder = copy_session(inbox, "S01")

    def run(files: Sequence[Path]) -> IngestReport:
        key = SessionKey(cohort="adults", subject="S01", session="s1").of_trial("walk")
        return IngestReport(outcomes=(Outcome(key=key, n_cycles=3, kinematics_only=True),), refused=())

    take(settled(inbox), warehouse, run)
    assert "walk: kinematics only, 3 gait cycles" in (folder / REPORT_TEXT).read_text("utf-8")
    assert json.loads((folder / REPORT_JSON).read_text("utf-8"))["trials"][0]["status"] == "kinematics only"
