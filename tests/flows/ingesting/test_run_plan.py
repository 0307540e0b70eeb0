import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flows.ingesting import session_work
from flows.ingesting.plan import plan_ingest
from flows.ingesting.report import IngestReport
from flows.ingesting.run_plan import run_plan
from flows.ingesting.session_work import Preparation, SessionWork
from flows.ingesting.steps import ChainSteps
from flows.workers.worker_pool import WorkerPool
from warehouse.errors import WarehouseError
from warehouse.holdings.sources import SessionSource, read_sources
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome

WriteSession = Callable[..., Path]
Ingest = Callable[..., tuple[IngestReport, list[Outcome | None]]]

BOTH_WAYS = pytest.mark.parametrize("with_prefect", [True, False], ids=["Prefect", "threads"])


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    return folder


@pytest.fixture
def ingest(stub_chain: ChainSteps) -> Ingest:
    def run(warehouse: Path, *sessions: Path, with_prefect: bool = False) -> tuple[IngestReport, list[Outcome | None]]:
        seen: list[Outcome | None] = []
        plan = plan_ingest(sessions, warehouse=str(warehouse), recipe="any", model=None, steps=stub_chain)
        report = run_plan(
            plan, workers=2, on_progress=lambda _: seen.append, steps=stub_chain, with_prefect=with_prefect
        )
        return report, seen

    return run


def _processed(warehouse: Path) -> list[str]:
    return sorted(path.name.split("-")[1] for path in warehouse.glob("processed-*"))


@BOTH_WAYS
def test_one_bad_trial_or_session_never_stops_the_others(
    ingest: Ingest, warehouse: Path, write_session: WriteSession, with_prefect: bool
) -> None:
    sessions = [
        write_session("v1", {"good": "accept", "bad": "reject", "dead": "crash", "broken": "raise"}),
        write_session("v2", {"never": "accept"}, prepare="crash"),
        write_session("v3", {"last": "fresh"}),
        write_session("v4", {"unscaled": "accept"}, prepare="reject"),
        write_session("v5", {"not_run": "accept"}, prepare="misconfigured"),
    ]

    report, seen = ingest(warehouse, *sessions, with_prefect=with_prefect)

    stages = {outcome.key.trial: outcome.rejection and outcome.rejection.stage for outcome in report.outcomes}
    assert stages == {
        "good": None,
        "bad": "read_c3d",
        "dead": "process_trial",
        "broken": "process_trial",
        "never": "prepare_session",
        "last": None,
        "unscaled": "scaling",
    }
    assert [refusal.session for refusal in report.refused] == [str(sessions[4])]
    assert "marker_cutoff_hz is missing" in report.refused[0].reason
    assert report.exit_code == 2
    assert [outcome.key for outcome in report.outcomes] == sorted(outcome.key for outcome in report.outcomes)
    assert {outcome.key.trial for outcome in seen if outcome is not None} == set(stages)
    assert seen.count(None) == 1
    assert _processed(warehouse) == ["bad", "broken", "dead", "good"]


def test_every_call_has_a_directory_of_its_own(ingest: Ingest, warehouse: Path, write_session: WriteSession) -> None:
    session = write_session("v1", {f"t{number}": "accept" for number in range(4)})

    report, _ = ingest(warehouse, session)

    marks = [*warehouse.glob("processed-*"), *warehouse.glob("prepared-*")]
    assert len(report.accepted) == 4
    assert len({path.name.rpartition("-")[2] for path in marks}) <= 2
    assert len({path.read_text() for path in marks}) == 5


def test_what_leaks_has_a_process_for_each_call(
    stub_chain: ChainSteps, warehouse: Path, write_session: WriteSession
) -> None:
    session = write_session("v1", {f"t{number}": "accept" for number in range(3)})
    plan = plan_ingest([session], warehouse=str(warehouse), recipe="leaky", model=None, steps=stub_chain)

    run_plan(plan, workers=1, on_progress=lambda _: lambda _: None, steps=stub_chain, with_prefect=False)

    marks = [*warehouse.glob("processed-*"), *warehouse.glob("prepared-*")]
    assert len({path.name.rpartition("-")[2] for path in marks}) == 4


@pytest.mark.parametrize(("recipe", "expected"), [("any", print), ("leaky", None)])
def test_workers_are_started_for_the_sessions_that_need_it(
    stub_chain: ChainSteps,
    warehouse: Path,
    write_session: WriteSession,
    monkeypatch: pytest.MonkeyPatch,
    recipe: str,
    expected: object,
) -> None:
    class Asked(Exception):
        pass

    def open_workers(n_slots, preload, cluster, start):
        raise Asked(start)

    monkeypatch.setattr("flows.workers.open_workers.open_workers", open_workers)
    session = write_session("v1", {"one": "accept"})
    steps = replace(stub_chain, start=print)
    plan = plan_ingest([session], warehouse=str(warehouse), recipe=recipe, model=None, steps=steps)

    with pytest.raises(Asked) as asked:
        run_plan(plan, workers=1, on_progress=lambda _: lambda _: None, steps=steps, with_prefect=False)

    assert asked.value.args == (expected,)


def test_what_is_up_to_date_starts_neither_prefect_nor_a_worker(
    warehouse: Path, write_session: WriteSession, stub_chain: ChainSteps
) -> None:
    session = write_session("v1", {"one": "fresh", "two": "fresh"})
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; import stub_steps\n"
        "from flows.ingesting.plan import plan_ingest; from flows.ingesting.run_plan import run_plan\n"
        "plan = plan_ingest([Path(sys.argv[2])], warehouse=sys.argv[3], recipe='any', model=None,\n"
        "                   steps=stub_steps.STEPS)\n"
        "report = run_plan(plan, workers=2, on_progress=lambda n: lambda _: None, steps=stub_steps.STEPS)\n"
        "loaded = {'prefect', 'flows.workers.worker_pool', 'scipy', 'opensim', 'pandas', 'rich'} & set(sys.modules)\n"
        "print([(o.key.trial, o.fresh) for o in report.outcomes], loaded)"
    )
    stubs = Path(__file__).parents[1]

    done = subprocess.run(
        [sys.executable, "-c", program, str(stubs), str(session), str(warehouse)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[('one', True), ('two', True)] set()\n"
    assert not [*warehouse.glob("processed-*"), *warehouse.glob("prepared-*")]


def test_what_is_up_to_date_remembers_where_it_came_from_now(
    ingest: Ingest, warehouse: Path, write_session: WriteSession
) -> None:
    session = write_session("v1", {"one": "fresh"})

    report, seen = ingest(warehouse, session)

    (source,) = read_sources(Warehouse(str(warehouse)))
    assert (source.session_file, source.recipe, source.model) == (str(session), "any", None)
    assert seen == list(report.outcomes)
    assert not (warehouse / "runs").exists()


def test_of_a_session_that_is_to_be_prepared_every_trial_is_run(
    ingest: Ingest, warehouse: Path, write_session: WriteSession
) -> None:
    """Its preparation may refuse them all."""
    session = write_session("v1", {"one": "fresh"}, prepare="reject", scaled=False)

    report, _ = ingest(warehouse, session)

    assert [str(outcome.rejection) for outcome in report.outcomes] == ["scaling: the static trial has no pelvis"]


def test_of_a_scaled_session_only_what_is_stale_is_run(
    ingest: Ingest, warehouse: Path, write_session: WriteSession
) -> None:
    session = write_session("v1", {"old": "accept", "one": "accept"}, states={"old": "stale"})

    report, _ = ingest(warehouse, session)

    assert [(outcome.key.trial, outcome.fresh) for outcome in report.outcomes] == [("old", False), ("one", True)]
    assert _processed(warehouse) == ["old"]
    assert not list(warehouse.glob("prepared-*"))


@BOTH_WAYS
def test_a_crash_is_stored_with_its_log(
    ingest: Ingest, warehouse: Path, write_session: WriteSession, with_prefect: bool
) -> None:
    ingest(warehouse, write_session("v1", {"dead": "crash", "broken": "raise"}), with_prefect=with_prefect)

    stage, reason, log = json.loads((warehouse / "crash-v1-dead.json").read_text())
    assert (stage, "SIGKILL" in reason, "segfault ahead" in log) == ("process_trial", True, True)
    stage, reason, log = json.loads((warehouse / "crash-v1-broken.json").read_text())
    assert "unexpected ZeroDivisionError: division by zero" in reason
    assert "Traceback" in log


def test_a_disk_that_fills_up_says_so_and_is_no_fault_of_the_code(
    ingest: Ingest, warehouse: Path, write_session: WriteSession
) -> None:
    report, _ = ingest(warehouse, write_session("v1", {"full": "full_disk", "good": "accept"}))

    assert [outcome.key.trial for outcome in report.accepted] == ["good"]
    full = report.rejected[0].rejection
    assert full is not None
    assert full.stage == "storing"
    assert full.reason == "can't write kinematics: the disk is full. Free space and run this again."


@BOTH_WAYS
def test_a_hang_costs_its_trial_only(
    ingest: Ingest, warehouse: Path, write_session: WriteSession, monkeypatch: pytest.MonkeyPatch, with_prefect: bool
) -> None:
    monkeypatch.setattr(session_work, "TRIAL_TIME_LIMIT_S", 10.0)

    report, _ = ingest(warehouse, write_session("v1", {"stuck": "hang", "good": "accept"}), with_prefect=with_prefect)

    assert [outcome.key.trial for outcome in report.accepted] == ["good"]
    assert "had not finished after 10 s" in str(report.rejected[0].rejection)


def test_a_rejection_that_cannot_be_stored_is_still_reported(
    ingest: Ingest, warehouse: Path, write_session: WriteSession
) -> None:
    report, _ = ingest(warehouse, write_session("v1", {"dead": "crash"}, full_disk=True))

    assert "could not be stored: the disk is full" in str(report.rejected[0].rejection)
    assert report.exit_code == 3


@BOTH_WAYS
def test_what_even_the_flow_did_not_expect_costs_its_trial_only(
    ingest: Ingest,
    warehouse: Path,
    write_session: WriteSession,
    monkeypatch: pytest.MonkeyPatch,
    with_prefect: bool,
) -> None:
    run_trial = SessionWork.run_trial

    def fail_on_bad(work: SessionWork, session: object, trial: str, preparation: Preparation) -> Outcome | None:
        if trial == "bad":
            raise MemoryError("no memory left")
        return run_trial(work, session, trial, preparation)  # type: ignore[arg-type]

    monkeypatch.setattr(SessionWork, "run_trial", fail_on_bad)

    report, _ = ingest(warehouse, write_session("v1", {"bad": "accept", "good": "accept"}), with_prefect=with_prefect)

    assert [outcome.key.trial for outcome in report.accepted] == ["good"]
    assert str(report.rejected[0].rejection) == "ingest: MemoryError: no memory left"


@BOTH_WAYS
def test_interrupting_ends_the_workers_and_stores_nothing(
    stub_chain: ChainSteps, warehouse: Path, write_session: WriteSession, with_prefect: bool
) -> None:
    def interrupt(outcome: Outcome | None) -> None:
        raise KeyboardInterrupt

    session = write_session("v1", {"first": "accept", "stuck": "hang", "later": "hang"})
    plan = plan_ingest([session], warehouse=str(warehouse), recipe="any", model=None, steps=stub_chain)

    with pytest.raises(KeyboardInterrupt):
        run_plan(plan, workers=2, on_progress=lambda _: interrupt, steps=stub_chain, with_prefect=with_prefect)

    assert not list(warehouse.glob("crash-*"))


def test_nothing_to_run_is_a_configuration_error(ingest: Ingest, warehouse: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.json does not exist"):
        ingest(warehouse, tmp_path / "absent.json")


def test_a_warehouse_that_cannot_be_written_fails_before_any_work(
    ingest: Ingest, tmp_path: Path, write_session: WriteSession
) -> None:
    taken = tmp_path / "file"
    taken.touch()

    with pytest.raises(WarehouseError, match="a file stands where a folder is needed"):
        ingest(taken, write_session("v1", {"t": "accept"}))


def test_a_run_leaves_its_account_for_the_next_estimate(
    stub_chain: ChainSteps, warehouse: Path, write_session: WriteSession, ingest: Ingest
) -> None:
    ingest(warehouse, write_session("v1", {"a": "accept", "b": "accept"}, states={"a": "stale"}))

    (account,) = (warehouse / "runs").iterdir()
    run = json.loads(account.read_text())
    assert (run["n_computed"], run["n_fresh"], run["workers"]) == (1, 1, 2)


@BOTH_WAYS
def test_what_no_preparation_expected_costs_its_session_only(
    ingest: Ingest, warehouse: Path, write_session: WriteSession, with_prefect: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordinary = WorkerPool.run

    def run(
        pool: WorkerPool, function: Callable[..., object], request: object, *args: object, **more: object
    ) -> object:
        if "v1" in str(request) and "prepare" in function.__name__:
            raise EOFError("the fork server can't fork")
        return ordinary(pool, function, request, *args, **more)

    monkeypatch.setattr(WorkerPool, "run", run)
    first, second = write_session("v1", {"a": "accept"}), write_session("v2", {"b": "accept"})

    report, _ = ingest(warehouse, first, second, with_prefect=with_prefect)

    rejected, accepted = report.outcomes
    assert accepted.accepted
    assert rejected.rejection is not None
    assert rejected.rejection.stage == "prepare_session"
    assert "EOFError: the fork server can't fork" in rejected.rejection.reason


def test_an_error_of_ours_that_names_a_value_keeps_its_traceback(
    ingest: Ingest, warehouse: Path, write_session: WriteSession
) -> None:
    report, _ = ingest(warehouse, write_session("v1", {"wrong": "misconfigured"}))

    (outcome,) = report.outcomes
    assert outcome.rejection is not None
    assert "Traceback" in outcome.rejection.log


def test_a_session_whose_source_cannot_be_noted_stops_no_other(
    ingest: Ingest, warehouse: Path, write_session: WriteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remember(where: Warehouse, source: SessionSource) -> None:
        if source.key.session == "v1":
            raise WarehouseError("sources/v1 can't be written")

    monkeypatch.setattr("flows.ingesting.run_plan.remember_source", remember)
    noted, other = write_session("v1", {"a": "fresh"}), write_session("v2", {"b": "accept"})

    report, _ = ingest(warehouse, noted, other)

    assert [outcome.key.trial for outcome in report.accepted] == ["b"]
    assert [(Path(refusal.session).stem, refusal.reason) for refusal in report.refused] == [
        ("v1", "sources/v1 can't be written")
    ]
