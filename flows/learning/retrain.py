"""Retraining: the newest data, a challenger, a fair comparison, and a decision that is kept.

Everything follows from what is stored: killed at any moment, the same call goes on, and where neither the data nor the
training's settings have changed it does nothing.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from flows.learning import tracking
from flows.learning.tracking import CHALLENGER, CHAMPION, Version
from flows.learning.train import track_trained, train_and_track
from warehouse.files.storage import replace_file, scratch_folder
from warehouse.layout import Warehouse

# Torch is loaded when something is trained, not before.
if TYPE_CHECKING:
    from models.comparing.promotion import Decision, PendingDecision
    from models.training.train import TrainRequest

DECISIONS = "decisions"
_APPLIED, _PENDING = ".json", ".pending.json"
MEMORY_MB = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainOrder:
    """What to train, on what, and what it takes to become the champion.

    A release of this name is cut from all that the warehouse holds; the subjects of `holdout` are held out of every
    training run. `margin` and `tolerance` are as of `models.comparing.promotion.PromotionRule`.
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
        return tracking.registered_name(self.task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """What became of it. `decision` is None where nothing has changed since an earlier one, which `words` tells."""

    run: Path
    decision: "Decision | None"
    words: str


def train_challenger(order: RetrainOrder) -> Retrained:
    """Release, train, compare, decide, and promote if the rule says so; one at a time in a folder of runs.

    ValueError or WarehouseError where one of these can't be done, or another retraining is at work: the champion stays.
    """
    order.runs.mkdir(parents=True, exist_ok=True)
    with _only_one(order.runs):
        return _train_challenger(order)


def _train_challenger(order: RetrainOrder) -> Retrained:
    from models.comparing.promotion import decision_text

    job = _job(order)
    run = order.runs / _name_of(job)
    kept = order.runs / DECISIONS / f"{run.name}{_APPLIED}"
    if kept.is_file():
        return Retrained(run=run, decision=None, words=f"nothing has changed since {run.name} was decided on: {kept}")
    pending = kept.with_name(f"{run.name}{_PENDING}")
    pending_decision = _still_holds(pending, order)
    if pending_decision is None:
        pending.parent.mkdir(parents=True, exist_ok=True)
        pending_decision = _decided(order, job, run)
        replace_file(pending, pending_decision.model_dump_json().encode())
    words = decision_text(pending_decision.decision)
    version = tracking.version_of(order.tracking_uri, order.registered_as, pending_decision.version)
    tracking.keep_text(order.tracking_uri, version, "decision.md", words)
    # Once only: who has rolled it back since knew better.
    if pending_decision.decision.promoted and not tracking.was_crowned(order.tracking_uri, version):
        tracking.crown(order.tracking_uri, version, pending_decision.champion_before)
    pending.replace(kept)
    return Retrained(run=run, decision=pending_decision.decision, words=words)


@contextmanager
def _only_one(runs: Path) -> Iterator[None]:
    lock = FileLock(runs / ".retrain.lock", timeout=0)
    try:
        with lock:
            yield
    except Timeout as error:
        raise ValueError(f"another retraining is at work in {runs}: wait for it, or end it.") from error


def _job(order: RetrainOrder) -> "TrainRequest":
    from models.training.train import TrainRequest

    return TrainRequest(
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
    from reports.audit.release import audit_for_release
    from warehouse.release.build import ReleaseOrder, build_release
    from warehouse.release.cycles_file import Sampling
    from warehouse.release.selection import Selection
    from warehouse.release.split import splitter

    asked = ReleaseOrder(
        name=order.release_name,
        selection=Selection(cohorts=(), conditions=(), subjects=(), recipes=()),
        sampling=Sampling(sides="both", points=None),
        split=splitter(order.holdout, None, None),
        audit=audit_for_release,
        licence=None,
    )
    return build_release(Warehouse(order.warehouse), asked).root.root


def _name_of(job: "TrainRequest") -> str:
    """A run's name: what its weights follow from, so that the same order has the same name."""
    from models.training.train import prepare_training

    with scratch_folder("gait2hip-retrain") as directory:
        facts = prepare_training(job, directory / "run").provenance()
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    return f"{job.model}-{job.task}-{digest}"


def _trained(order: RetrainOrder, job: "TrainRequest", run: Path) -> str:
    """Train, if an earlier call has not; the MLflow run's id. ValueError if MLflow could not be told all of it."""
    if not run.exists():
        run_id, problems = train_and_track(job, run, order.tracking_uri)[1:]
        if not problems:
            return run_id
    # Also after a call that was killed, or whose database failed it: a champion without its model would be of no use.
    return track_trained(run, order.tracking_uri)


def _decided(order: RetrainOrder, job: "TrainRequest", run: Path) -> "PendingDecision":
    """Train, compare, and only then register: what fails leaves no version behind."""
    from models.comparing.evaluate import evaluate_named_runs
    from models.comparing.promotion import PendingDecision, PromotionRule, decide, first_champion

    uri, rule = order.tracking_uri, PromotionRule(margin=order.margin, tolerance=order.tolerance)
    known = _registered(order, run)
    run_id = _trained(order, job, run) if known is None else known.run_id
    champion = tracking.called(uri, order.registered_as, CHAMPION)
    decision = first_champion(run.name, job.release, rule)
    if champion is not None:
        with scratch_folder("gait2hip-retrain") as directory:
            name = f"champion, version {champion.number}"
            folders = {name: tracking.fetch(uri, champion, directory), run.name: run}
            evaluation, _ = evaluate_named_runs(folders, job.release, (), order.device)
        decision = decide(evaluation, name, run.name, rule)
    version = known or tracking.register(uri, order.registered_as, run_id)
    tracking.call(uri, version, CHALLENGER)
    before = None if champion is None else champion.number
    return PendingDecision(version=version.number, champion_before=before, decision=decision)


def _registered(order: RetrainOrder, run: Path) -> Version | None:
    """The version that an earlier call made of this run, and did not come to the end."""
    known = tracking.versions(order.tracking_uri, order.registered_as)
    return next((one for one in known if tracking.verdict_of(order.tracking_uri, one)[0] == run.name), None)


def _still_holds(file: Path, order: RetrainOrder) -> "PendingDecision | None":
    """A decision that was made and not carried out; None if there is none, or there is another champion since."""
    from models.comparing.promotion import PendingDecision

    if not file.is_file():
        return None
    pending_decision = PendingDecision.model_validate_json(file.read_text("utf-8"))
    champion = tracking.called(order.tracking_uri, order.registered_as, CHAMPION)
    number = None if champion is None else champion.number
    return pending_decision if number in (pending_decision.champion_before, pending_decision.version) else None
