from collections.abc import Callable
from pathlib import Path

import pytest

from flows.ingesting.plan import IngestPlan
from flows.ingesting.regenerate import plan_in_words, plan_regeneration, stale_part
from flows.ingesting.report import IngestReport
from flows.ingesting.run_plan import run_plan
from flows.ingesting.steps import ChainSteps
from warehouse.holdings.runs import IngestRun
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse

WriteSession = Callable[..., Path]
Look = Callable[..., IngestPlan]
Regenerate = Callable[[IngestPlan], IngestReport]


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    return folder


@pytest.fixture
def known(warehouse: Path, write_session: WriteSession) -> Callable[..., None]:
    """A session that was ingested once."""

    def remember(name: str, trials: dict[str, str], recipe: str = "any", **more: object) -> None:
        file = write_session(name, trials, **more)
        key = SessionKey(cohort="cohort", subject="S01", session=name)
        source = SessionSource(key=key, session_file=str(file), recipe=recipe, model=None)
        remember_source(Warehouse(str(warehouse)), source)

    return remember


@pytest.fixture
def look(warehouse: Path, stub_chain: ChainSteps) -> Look:
    def make(*only: str, recipe: str | None = None) -> IngestPlan:
        return plan_regeneration(str(warehouse), recipe=recipe, model=None, only=only, steps=stub_chain)

    return make


@pytest.fixture
def regenerate(stub_chain: ChainSteps) -> Regenerate:
    def run(plan: IngestPlan) -> IngestReport:
        return run_plan(
            stale_part(plan), workers=2, on_progress=lambda _: lambda _: None, steps=stub_chain, with_prefect=False
        )

    return run


def to_do(plan: IngestPlan) -> list[str]:
    return [trial.key.trial for trial in plan.trials if trial.to_do]


def recipes(plan: IngestPlan) -> list[str]:
    return [session.request.recipe for session in stale_part(plan).sessions]


def processed(warehouse: Path) -> set[str]:
    return {path.name.split("-")[1] for path in warehouse.glob("processed-*")}


def test_only_sessions_with_something_to_do_are_run(
    warehouse: Path, known: Callable[..., None], look: Look, regenerate: Regenerate
) -> None:
    known("v1", {"old": "accept", "good": "fresh"}, states={"old": "stale"})
    known("v2", {"still_good": "fresh"})
    known("v3", {"new": "accept"}, states={"new": "missing"})
    known("v4", {"away": "accept"}, states={"away": "unreachable"})
    found = look()
    assert to_do(found) == ["old", "new"]

    report = regenerate(found)

    assert processed(warehouse) == {"old", "new"}
    assert [outcome.key.trial for outcome in report.outcomes] == ["good", "old", "new"]
    assert report.exit_code == 0


def test_only_what_is_selected_is_looked_at_and_run(
    warehouse: Path, known: Callable[..., None], look: Look, regenerate: Regenerate
) -> None:
    known("v1", {"slow_1": "accept", "fast_1": "accept"}, states={"slow_1": "missing", "fast_1": "stale"})

    regenerate(look("*/*/*/fast_*"))

    assert processed(warehouse) == {"fast_1"}


def test_each_session_keeps_its_settings_unless_others_are_given(
    known: Callable[..., None], look: Look, regenerate: Regenerate
) -> None:
    known("v1", {"one": "accept"}, recipe="first", states={"one": "stale"})
    known("v2", {"two": "accept"}, recipe="second", states={"two": "stale"})

    assert recipes(look()) == ["first", "second"]
    assert recipes(look(recipe="third")) == ["third", "third"]
    assert len(regenerate(look()).outcomes) == 2


def test_other_settings_for_a_part_of_a_session_are_refused(
    warehouse: Path, known: Callable[..., None], look: Look, regenerate: Regenerate
) -> None:
    """It would hold two recipes' results, and remember one."""
    known("v1", {"slow_1": "accept", "fast_1": "accept"}, states={"slow_1": "stale", "fast_1": "stale"})
    known("v2", {"fast_1": "accept"}, states={"fast_1": "stale"})

    found = look("*/*/*/fast_*", recipe="other")

    (refusal,) = found.refused
    assert "1 of its stored trials are stale that --only leaves out (slow_1, …;" in refusal.reason
    assert "--only 'cohort/S01/v1'" in refusal.reason
    assert [session.key.session for session in stale_part(found).sessions] == ["v2"]
    assert processed(warehouse) == set()
    report = regenerate(found)
    assert [str(outcome.key) for outcome in report.outcomes] == ["cohort/S01/v2/fast_1"]
    assert report.exit_code == 2
    # As a whole, the session may be run.
    assert look("cohort/S01/v1", recipe="other").refused == ()


def test_a_part_of_a_session_that_was_edited_is_refused(known: Callable[..., None], look: Look) -> None:
    """The same recipe and model, but session.toml's mass, say: all of its trials are stale."""
    known("v1", {"slow_1": "accept", "fast_1": "accept"}, states={"slow_1": "stale", "fast_1": "stale"})

    (refusal,) = look("*/*/*/fast_*").refused

    assert "two recipes, models or body masses" in refusal.reason
    assert "(slow_1, …; recipe any)" in refusal.reason
    assert look("*/*/*/fast_*", recipe="any").refused == (refusal,)
    assert look("cohort/S01/v1").refused == ()
    assert look().refused == ()


def test_other_settings_that_leave_the_others_fresh_are_no_mixture(known: Callable[..., None], look: Look) -> None:
    known("v1", {"new": "accept", "old": "fresh"}, states={"new": "missing"})

    found = look("*/*/*/new", recipe="other")

    assert found.refused == ()
    assert to_do(found) == ["new"]


def test_a_session_whose_model_is_stale_is_run_although_its_trials_are_fresh(
    known: Callable[..., None], look: Look
) -> None:
    known("v1", {"one": "fresh"}, scaled=False)

    assert len(stale_part(look()).sessions) == 1


def test_a_session_that_can_t_be_run_is_told_and_stops_no_other(
    known: Callable[..., None], look: Look, regenerate: Regenerate
) -> None:
    known("v1", {"one": "accept"}, prepare="unreadable")
    known("v2", {"two": "accept"}, states={"two": "stale"})

    found = look()
    report = regenerate(found)

    assert "profile is missing" in found.refused[0].reason
    assert [outcome.key.trial for outcome in report.outcomes] == ["two"]
    assert report.exit_code == 2


def test_the_plan_says_how_many_why_and_how_long(known: Callable[..., None], look: Look) -> None:
    known("v1", {"a": "accept", "b": "accept", "c": "fresh"}, states={"a": "stale", "b": "stale"})
    last = IngestRun(began="2026-05-12T08:00:00.000+00:00", n_computed=4, n_fresh=0, seconds=20.0, workers=2)

    lines = plan_in_words(look(recipe="mine"), last, workers=2).splitlines()

    assert lines[0] == "1 fresh, 2 stale"
    assert lines[1] == "  2 stale: recipe mine [quality]"
    assert lines[2] == "2 trials to compute, about 10 s on 2 workers (10.0 s a trial in the run of 2026-05-12)"


def test_without_work_the_plan_says_so(known: Callable[..., None], look: Look) -> None:
    known("v1", {"a": "fresh"})

    assert plan_in_words(look(), None, workers=2).splitlines() == ["1 fresh", "nothing to do"]


def test_a_warehouse_that_knows_no_session_says_so(look: Look) -> None:
    with pytest.raises(ValueError, match="does not know where its sessions' recordings are"):
        look()


def test_a_pattern_that_selects_nothing_is_refused(known: Callable[..., None], look: Look) -> None:
    known("v1", {"a": "fresh"})

    with pytest.raises(ValueError, match="selects no trial of the 1 sessions"):
        look("children")
