from collections.abc import Callable
from pathlib import Path

import pytest

from flows.ingesting import plan as module
from flows.ingesting.plan import IngestPlan, plan_ingest, plan_requests
from flows.ingesting.steps import ChainSteps
from pipeline.storing.request import SessionRequest
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.identity import SessionKey, Spellings
from warehouse.layout import Warehouse

WriteSession = Callable[..., Path]


@pytest.fixture
def plan(stub_chain: ChainSteps, tmp_path: Path) -> Callable[..., IngestPlan]:
    def make(*sessions: Path, **settings: object) -> IngestPlan:
        words = {"warehouse": str(tmp_path / "w"), "recipe": "any", "model": None} | settings
        return plan_ingest(sessions, steps=stub_chain, **words)  # type: ignore[arg-type]

    return make


def test_a_session_that_cannot_run_is_refused_and_the_others_are_planned(
    plan: Callable[..., IngestPlan], write_session: WriteSession, tmp_path: Path
) -> None:
    good = write_session("v1", {"t": "accept"})
    wrong = write_session("v2", {"t": "accept"}, prepare="unreadable")

    found = plan(tmp_path / "absent.json", good, wrong)

    assert [session.request.session_file for session in found.sessions] == [str(good)]
    assert "absent.json does not exist" in found.refused[0].reason
    assert "profile is missing" in found.refused[1].reason
    assert len(found.trials) == 1


def test_a_name_that_differs_from_another_in_case_only_is_refused(
    plan: Callable[..., IngestPlan], write_session: WriteSession, tmp_path: Path
) -> None:
    stored = SessionKey(cohort="cohort", subject="S01", session="day1")
    source = SessionSource(key=stored, session_file="day1.json", recipe="any", model=None)
    remember_source(Warehouse(str(tmp_path / "w")), source)

    found = plan(write_session("DAY1", {"t": "accept"}), write_session("v2", {"t": "accept"}))

    assert [session.key.session for session in found.sessions] == ["v2"]
    assert "there is cohort/S01/day1: where capitals don't" in found.refused[0].reason


def test_what_is_fresh_is_told_apart(plan: Callable[..., IngestPlan], write_session: WriteSession) -> None:
    file = write_session("v1", {"a": "accept", "b": "accept", "c": "accept"}, states={"a": "stale", "c": "unreachable"})

    (session,) = plan(file).sessions

    assert session.is_scaled
    assert session.to_run == ("a", "c")
    assert [(outcome.key.trial, outcome.fresh) for outcome in session.up_to_date] == [("b", True)]
    assert session.is_stale


def test_a_trial_that_can_t_be_reached_is_no_reason_to_regenerate(
    plan: Callable[..., IngestPlan], write_session: WriteSession
) -> None:
    (session,) = plan(write_session("v1", {"a": "accept"}, states={"a": "unreachable"})).sessions

    assert session.to_run == ("a",)
    assert not session.is_stale


def test_patterns_leave_trials_out(stub_chain: ChainSteps, write_session: WriteSession) -> None:
    file = write_session("v1", {"slow": "accept", "fast": "accept"}, states={"slow": "stale", "fast": "stale"})
    request = SessionRequest(session_file=str(file), recipe="any", model=None, warehouse="w")

    (session,) = plan_requests([request], "w", only=["*/*/*/fast"], steps=stub_chain).sessions

    assert session.to_run == ("fast",)
    assert [trial.key.trial for trial in session.left_out] == ["slow"]


def test_many_sessions_keep_their_order(plan: Callable[..., IngestPlan], write_session: WriteSession) -> None:
    files = [write_session(f"v{number:02}", {"t": "accept"}) for number in range(20)]

    assert [session.request.session_file for session in plan(*files).sessions] == [str(file) for file in files]


def test_a_session_named_twice_is_there_once(plan: Callable[..., IngestPlan], write_session: WriteSession) -> None:
    file = write_session("v1", {"t": "accept"})

    found = plan(file, file)

    assert len(found.sessions) == 1
    assert not found.refused


def test_two_files_that_are_the_same_session_are_not_mixed(
    plan: Callable[..., IngestPlan], write_session: WriteSession
) -> None:
    first = write_session("v1", {"t": "accept"})
    second = first.with_name("copy.json")
    second.write_text(first.read_text())

    found = plan(first, second)

    assert [session.request.session_file for session in found.sessions] == [str(first)]
    assert str(first) in found.refused[0].reason
    assert str(second) in found.refused[0].reason


def test_workers_get_absolute_paths(
    plan: Callable[..., IngestPlan], write_session: WriteSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = write_session("v1", {"t": "accept"})
    (tmp_path / "mine.toml").touch()
    monkeypatch.chdir(tmp_path)

    found = plan(Path(session.name), warehouse="w", recipe="mine.toml", model=Path("m.osim"))

    assert found.sessions[0].request == SessionRequest(
        session_file=str(session),
        recipe=str(tmp_path / "mine.toml"),
        model=str(tmp_path / "m.osim"),
        warehouse=str(tmp_path / "w"),
    )


def test_an_object_store_is_no_path(
    plan: Callable[..., IngestPlan], write_session: WriteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "stored_spellings", lambda _: Spellings())
    found = plan(write_session("v1", {"t": "accept"}), warehouse="s3://lab/gait", recipe="gait2hip60")

    assert found.warehouse == found.sessions[0].request.warehouse == "s3://lab/gait"
    assert found.sessions[0].request.recipe == "gait2hip60"


def test_missing_libraries_are_named_with_their_cure(
    plan: Callable[..., IngestPlan], write_session: WriteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIBRARIES", ("c3d", "no_such_library"))

    with pytest.raises(ValueError, match=r"no_such_library not installed.*pip install"):
        plan(write_session("v1", {"t": "accept"}))


def test_a_file_that_is_named_in_two_ways_is_there_once(
    plan: Callable[..., IngestPlan], write_session: WriteSession, tmp_path: Path
) -> None:
    file = write_session("v1", {"a": "accept"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.json").symlink_to(file)

    ingest_plan = plan(file, tmp_path / "elsewhere" / ".." / file.name, tmp_path / "link.json")

    assert len(ingest_plan.sessions) == 1
    assert ingest_plan.refused == ()
