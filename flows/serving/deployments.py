"""What `gait2hip serve` runs by schedule: each flow a thin shell over functions that run without Prefect."""

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from prefect import Flow, flow, get_run_logger, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import EntrypointType, RunnerDeployment

from flows.ingesting.inbox import INBOX_SETTLE_S, Inbox, Sorted, status_of, take, why_broken
from flows.ingesting.inbox_border import bordered
from flows.ingesting.plan import plan_ingest
from flows.ingesting.regenerate import plan_in_words, plan_regeneration, stale_part
from flows.ingesting.report import IngestReport, OutcomeListener, Refusal, headline
from flows.ingesting.run_plan import run_plan
from flows.ingesting.steps import CHAIN
from flows.learning.evaluation import Evaluated, EvaluateOrder, evaluate_anew
from flows.learning.retrain import Retrained, RetrainOrder, train_challenger
from flows.prefect_server.lifeline import end_with_starter
from flows.serving.deploy_config import Deploy, Schedule
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.holdings.damage import verify_warehouse
from warehouse.holdings.runs import last_run
from warehouse.holdings.sources import read_sources
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome


class Unfinished(Exception):
    """A flow did what it could, and says what somebody must put right."""


# What a Prefect server limits: how many tasks of this tag run at once.
GPU_TAG = "gpu"
# Columns of table `trials` that tell how far a trial can be trusted.
QUALITY_FIGURES = (
    "marker_rms_max_m",
    "residual_force_ratio",
    "residual_moment_ratio",
    "reserve_ratio_max",
    "balance_ratio_max",
    "saturated_ratio_max",
    "vertical_impulse_ratio",
)


@flow(name="ingest-inbox", description="Ingest the sessions that have come whole into a folder, each once.")
def ingest_inbox(
    inbox: str,
    warehouse: str,
    recipe: str = "gait2hip60",
    model: str | None = None,
    workers: int | None = None,
    settle_s: float = INBOX_SETTLE_S,
    profiles: list[str] | None = None,
) -> None:
    """Look twice, `settle_s` apart, and take what has not changed; what is still coming is the next run's."""
    end_with_starter()

    def run(files: Any) -> IngestReport:
        model_file = None if model is None else Path(model)
        steps = bordered(CHAIN, inbox, profiles or ())
        plan = plan_ingest(files, warehouse=warehouse, recipe=recipe, model=model_file, steps=steps)
        if not plan.sessions:
            return IngestReport(outcomes=(), refused=plan.refused)
        return run_plan(plan, workers=_count(workers), on_progress=_logged, steps=steps)

    looking = Inbox(folder=Path(inbox), profiles=[Path(folder) for folder in profiles or ()], settle_s=settle_s)
    arrivals = looking.sort(time.monotonic())
    if arrivals.coming:
        time.sleep(settle_s)
        arrivals = looking.sort(time.monotonic())
    taken = take(arrivals, warehouse, run)
    report = replace(taken.report, refused=(*taken.report.refused, *_broken(arrivals)))
    _tell(report, f"in {inbox}: {_counts(arrivals)}", warehouse)
    problems = [*(refusal.reason for refusal in taken.report.refused), *taken.unwritten]
    if arrivals.broken and not (arrivals.whole or arrivals.done):
        problems += [refusal.reason for refusal in _broken(arrivals)]
    if problems:
        # The rest is done and stored; somebody must look at this.
        raise Unfinished("\n".join(dict.fromkeys(problems)))


@flow(name="regenerate", description="Compute again what a changed recording, setting, model or version made stale.")
def regenerate(
    warehouse: str,
    recipe: str | None = None,
    only: list[str] | None = None,
    workers: int | None = None,
    inbox: str | None = None,
    profiles: list[str] | None = None,
) -> None:
    """As `gait2hip regenerate`; nothing to do is no failure. What lies in the inbox is held to its border."""
    end_with_starter()
    count = _count(workers)
    if not read_sources(Warehouse(warehouse)):
        get_run_logger().info("nothing has been ingested into %s yet", warehouse)
        return
    steps = CHAIN if inbox is None else bordered(CHAIN, inbox, profiles or ())
    damaged = verify_warehouse(Warehouse(warehouse), {}).damaged
    plan = plan_regeneration(warehouse, recipe=recipe, model=None, only=only or (), steps=steps, damaged=damaged)
    words = plan_in_words(plan, last_run(Warehouse(warehouse)), count)
    get_run_logger().info(words)
    stale = stale_part(plan)
    if not stale.sessions:
        _tell(IngestReport(outcomes=(), refused=plan.refused), words, warehouse)
        return
    _tell(run_plan(stale, workers=count, on_progress=_logged, steps=steps), words, warehouse)


@flow(name="retrain", description="Train on all that is stored; promote what is better by the rule.")
def retrain(
    warehouse: str,
    runs: str,
    holdout: list[str],
    model: str,
    task: str,
    protocol: str,
    recipe: str,
    device: str,
    release_name: str,
    tracking_uri: str,
    margin: float,
    tolerance: float,
) -> None:
    """As `flows.learning.retrain.train_challenger`; one training at a time on a machine's GPU."""
    end_with_starter()
    order = RetrainOrder(
        warehouse=warehouse,
        release_name=release_name,
        holdout=tuple(holdout),
        runs=Path(runs),
        tracking_uri=tracking_uri,
        model=model,
        task=task,
        protocol=protocol,
        recipe=recipe,
        device=device,
        margin=margin,
        tolerance=tolerance,
    )
    Path(runs).mkdir(parents=True, exist_ok=True)
    retrained = decide_on_challenger(order)
    get_run_logger().info(retrained.words)
    create_markdown_artifact(markdown=retrained.words, key="decision", description=str(retrained.run))


@task(name="train and compare", cache_policy=NO_CACHE, tags=[GPU_TAG])
def decide_on_challenger(order: RetrainOrder) -> Retrained:
    """What needs a GPU where there is one."""
    return train_challenger(order)


@flow(name="evaluate", description="Test models, the champion too, on people whom none of them saw.")
def evaluate(
    release: str,
    pages: str,
    runs: list[str],
    champion_of: str = "",
    tracking_uri: str = "",
    cohorts: list[str] | None = None,
    device: str = "auto",
) -> None:
    """As `gait2hip evaluate` into a new folder of `pages`; where nothing has changed, nothing is done."""
    end_with_starter()
    order = EvaluateOrder(
        runs=tuple(Path(run) for run in runs),
        champion_of=champion_of,
        tracking_uri=tracking_uri,
        release=release,
        cohorts=tuple(cohorts or ()),
        device=device,
        pages=Path(pages),
    )
    scored = score_models(order)
    get_run_logger().info(scored.words)
    create_markdown_artifact(markdown=f"```\n{scored.words}\n```", key="scorecards", description=str(scored.folder))


@task(name="score models", cache_policy=NO_CACHE, tags=[GPU_TAG])
def score_models(order: EvaluateOrder) -> Evaluated:
    """What is faster with a GPU where there is one."""
    return evaluate_anew(order)


def flows_of(config: Deploy) -> Iterator[tuple[Flow[..., None], dict[str, Any], Schedule]]:
    """Every configured flow with its parameters and schedule."""
    if config.ingest_inbox is not None:
        job = config.ingest_inbox
        parameters = {
            "inbox": job.folder,
            "warehouse": config.warehouse,
            "recipe": job.recipe,
            "model": job.model or None,
            "workers": config.workers,
            "settle_s": job.settle_s,
            "profiles": list(job.profiles),
        }
        yield ingest_inbox, parameters, job
    if config.regenerate is not None:
        recipe = config.regenerate.recipe or None
        parameters = {"warehouse": config.warehouse, "recipe": recipe, "workers": config.workers}
        if config.ingest_inbox is not None:
            parameters |= {"inbox": config.ingest_inbox.folder, "profiles": list(config.ingest_inbox.profiles)}
        yield regenerate, parameters, config.regenerate
    if config.retrain is not None:
        settings = config.retrain.model_dump(exclude={"cron", "timezone"}, mode="json")
        yield retrain, {"warehouse": config.warehouse, **settings}, config.retrain
    if config.evaluate is not None:
        yield evaluate, config.evaluate.model_dump(exclude={"cron", "timezone"}, mode="json"), config.evaluate


def deployments_of(config: Deploy) -> list[RunnerDeployment]:
    """Every scheduled flow; one run of each at a time. ValueError for a schedule that is none, or if there is none."""
    deployments = [_deployment(flow, job, parameters) for flow, parameters, job in flows_of(config)]
    if not deployments:
        raise ValueError(
            "the configuration schedules nothing; give it [ingest_inbox], [regenerate], [retrain] or [evaluate]."
        )
    return deployments


def one_at_a_time_on_the_gpu() -> None:
    """Have the Prefect server let one task with the GPU's tag run at a time; the next waits until it has ended."""
    with get_client(sync_client=True) as client:
        client.create_concurrency_limit(tag=GPU_TAG, concurrency_limit=1)


def _deployment(of: Flow[..., None], job: Schedule, parameters: dict[str, Any]) -> RunnerDeployment:
    try:
        schedule = CronSchedule(cron=job.cron, timezone=job.timezone)
    except ValueError as error:
        raise ValueError(f"[{of.name.replace('-', '_')}] cron {job.cron!r}: {error}") from error
    # By module, so that an installed program finds it as a checkout does.
    deployment = of.to_deployment(
        name="scheduled",
        schedules=[schedule],
        parameters=parameters,
        # A run that comes due while another is at work has nothing of its own to do.
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(deployment, RunnerDeployment), "it is a coroutine only in a running event loop"
    return deployment


def _count(workers: int | None) -> int:
    return workers or os.cpu_count() or 1


def _counts(arrivals: Sorted) -> str:
    return (
        f"{len(arrivals.whole)} whole sessions, {len(arrivals.coming)} still coming, {len(arrivals.broken)} broken, "
        f"{len(arrivals.done)} ingested before"
    )


def _broken(arrivals: Sorted) -> tuple[Refusal, ...]:
    return tuple(Refusal(session=str(arrival.session_file), reason=why_broken(arrival)) for arrival in arrivals.broken)


def _logged(n_trials: int) -> OutcomeListener:
    """Progress as log lines that name subject, trial and stage, and as a bar on Prefect's pages."""
    log, done, shown = get_run_logger(), 0, 0
    bar = _on_pages(create_progress_artifact, progress=0.0, key="progress", description=f"{n_trials} trials")

    def tell(outcome: Outcome | None) -> None:
        nonlocal done, shown
        done += 1
        if outcome is not None:
            what = status_of(outcome) if outcome.accepted else f"rejected at {outcome.rejection}"
            log.info("%d of %d: %s: %s", done, n_trials, outcome.key, what)
        # Not with every one of many thousands: each costs the server a write.
        if bar is not None and (percent := 100 * done // n_trials) > shown:
            shown = percent
            _on_pages(update_progress_artifact, bar, progress=float(percent))

    return tell


def _on_pages(draw: Callable[..., Any], *what: object, **how: object) -> Any:
    """What Prefect gives back, or None with a warning: a page that can't be drawn is no reason to stop trials."""
    try:
        return draw(*what, **how)
    except Exception as error:
        get_run_logger().warning("Prefect's pages don't show %s: %s", how.get("key", "progress"), error)
        return None


def _tell(report: IngestReport, what: str, warehouse: str) -> None:
    """The outcome as a log line and, for people who look at Prefect's pages, tables of outcomes and of quality."""
    line = f"{what}\n{headline(report)}"
    get_run_logger().info(line)
    rows = [
        {
            "trial": str(outcome.key),
            "outcome": status_of(outcome),
            "stage": "" if outcome.rejection is None else outcome.rejection.stage,
            "reason": "" if outcome.rejection is None else outcome.rejection.reason,
            "gait cycles": outcome.n_cycles,
        }
        for outcome in report.outcomes
    ]
    rows += [{"trial": r.session, "outcome": "not run", "reason": r.reason} for r in report.refused]
    if rows:
        _on_pages(create_table_artifact, table=rows, key="outcomes", description=line)
    if report.accepted or report.of_kinematics:
        table = _quality(report, warehouse)
        _on_pages(
            create_table_artifact, table=table, key="quality", description="accepted trials, and of kinematics only"
        )


def _quality(report: IngestReport, warehouse: str) -> list[dict[str, Any]]:
    """Each accepted trial's quality figures; a trial whose row can't be read says so.

    First those whose residuals aren't known, then the worst.
    """
    rows = [_quality_of(Warehouse(warehouse), outcome.key) for outcome in (*report.accepted, *report.of_kinematics)]
    return sorted(rows, key=_residual, reverse=True)


def _residual(row: Mapping[str, Any]) -> float:
    ratio = row.get("residual_force_ratio")
    return math.inf if ratio is None or math.isnan(ratio) else ratio


def _quality_of(warehouse: Warehouse, key: TrialKey) -> dict[str, Any]:
    try:
        row = read.read_row(warehouse, "trials", key)
    except WarehouseError as error:
        return {"trial": str(key), "problem": str(error)}
    figures = {name: row[name] for name in QUALITY_FIGURES}
    return {"trial": str(key), **figures, "warnings": "; ".join(map(str, cast(list[object], row["warnings"])))}
