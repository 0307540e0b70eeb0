"""Retraining: the newest data, a challenger, a fair comparison, and a decision that is kept.

Everything follows from what is stored: killed at any moment, the same call goes on, and where neither the data nor the
training's settings have changed it does nothing.
"""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows import tracking
from flows.tracking import CHALLENGER, CHAMPION, Version
from flows.train import track_trained, train_and_track
from warehouse.layout import Warehouse
from warehouse.storage import replace_file

# Torch is loaded when something is trained, not before.
if TYPE_CHECKING:
    from models.jobs import TrainJob
    from models.promotion import Decision

DECISIONS = "decisions"
_APPLIED, _PENDING = ".json", ".pending.json"
MEMORY_MB = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainOrder:
    """What to train, on what, and what it takes to become the champion.

    A release of this name is cut from all that the warehouse holds, the subjects of `holdout` held out: always the same
    people, whoever comes. `margin` and `tolerance` are as of `models.promotion.Rule`.
    """

    warehouse: str
    release_name: str
    holdout: tuple[str, ...]
    runs: Path
    tracking_uri: str
    model: str
    task: str
    protocol: str
    recipe: str
    device: str
    margin: float
    tolerance: float

    @property
    def registered_as(self) -> str:
        """The registered model whose champion is challenged: one for each kind of target."""
        return registered_name(self.task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """What became of it. `decision` is None where nothing has changed since an earlier one, which `words` tells."""

    run: Path
    decision: "Decision | None"
    words: str


def registered_name(task: str) -> str:
    """What models of a task are registered as."""
    return f"gait2hip-{task}"


def retrain(order: RetrainOrder) -> Retrained:
    """Release, train, compare, decide, and promote if the rule says so.

    ValueError or WarehouseError where one of these can't be done: the champion stays.
    """
    from models.promotion import render

    job = _job(order)
    run = order.runs / _name_of(job)
    kept = order.runs / DECISIONS / f"{run.name}{_APPLIED}"
    if kept.is_file():
        return Retrained(run=run, decision=None, words=f"nothing has changed since {run.name} was decided on: {kept}")
    pending = kept.with_name(f"{run.name}{_PENDING}")
    if not pending.is_file():
        pending.parent.mkdir(parents=True, exist_ok=True)
        version, decision = _decided(order, job, run, _trained(order, job, run))
        replace_file(pending, json.dumps({"version": version.number, "decision": decision.model_dump_json()}).encode())
    version, decision = _read_pending(pending, order)
    words = render(decision)
    tracking.keep_text(order.tracking_uri, version, "decision.md", words)
    if decision.promoted:
        tracking.crown(order.tracking_uri, version)
    pending.replace(kept)
    return Retrained(run=run, decision=decision, words=words)


def _job(order: RetrainOrder) -> "TrainJob":
    from models.jobs import TrainJob

    return TrainJob(
        release=_release(order),
        model=order.model,
        task=order.task,
        protocol=order.protocol,
        recipe=order.recipe,
        device=order.device,
        memory_mb=MEMORY_MB,
    )


def _release(order: RetrainOrder) -> str:
    """The newest release's folder: the same one as long as the same cycles are stored."""
    from warehouse.release.build import ReleaseOrder, build_release
    from warehouse.release.cycles_file import Sampling
    from warehouse.release.selection import Selection
    from warehouse.release.split import splitter

    asked = ReleaseOrder(
        name=order.release_name,
        selection=Selection(cohorts=(), conditions=(), subjects=(), recipes=()),
        sampling=Sampling(sides="both", points=None),
        split=splitter(order.holdout, None, None),
        licence=None,
    )
    return build_release(Warehouse(order.warehouse), asked).root.root


def _name_of(job: "TrainJob") -> str:
    """A run's name: what its weights follow from, so that the same order has the same name."""
    from models.jobs import prepare

    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        facts = prepare(job, Path(directory) / "run").follows_from()
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    return f"{job.model}-{job.task}-{digest}"


def _trained(order: RetrainOrder, job: "TrainJob", run: Path) -> str:
    """Train, if an earlier call has not; the MLflow run's id."""
    if run.exists():
        return track_trained(run, order.tracking_uri)
    return train_and_track(job, run, order.tracking_uri)[1]


def _decided(order: RetrainOrder, job: "TrainJob", run: Path, run_id: str) -> tuple[Version, "Decision"]:
    from models.jobs import evaluate_named
    from models.promotion import Rule, decide, first

    rule = Rule(margin=order.margin, tolerance=order.tolerance)
    champion = tracking.called(order.tracking_uri, order.registered_as, CHAMPION)
    version = tracking.register(order.tracking_uri, order.registered_as, run_id)
    tracking.call(order.tracking_uri, version, CHALLENGER)
    if champion is None:
        return version, first(run.name, job.release, rule)
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        name = f"champion, version {champion.number}"
        folders = {name: tracking.fetch(order.tracking_uri, champion, Path(directory)), run.name: run}
        evaluation, _ = evaluate_named(folders, job.release, (), order.device)
    return version, decide(evaluation, name, run.name, rule)


def _read_pending(file: Path, order: RetrainOrder) -> tuple[Version, "Decision"]:
    from models.promotion import Decision

    content = json.loads(file.read_text("utf-8"))
    version = tracking.version_of(order.tracking_uri, order.registered_as, content["version"])
    return version, Decision.model_validate_json(content["decision"])
