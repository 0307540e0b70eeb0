"""A chain without science, for the tests of the flow: what a trial does is written in its session file.

The session file is JSON: {"key": [cohort, subject, session], "prepare": WHAT, "trials": {NAME: WHAT}}.
WHAT is one of accept, fresh, reject, linger, crash, hang, raise, full_disk, misconfigured.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from flows.ingesting.steps import ChainSteps
from pipeline.storing.staleness import SessionState, TrialState
from warehouse.errors import WarehouseError
from warehouse.identity import SessionKey
from warehouse.outcome import Outcome, Rejection, SessionOutcome


def _load(request):
    content = json.loads(Path(request.session_file).read_text())
    cohort, subject, name = content["key"]
    return content, SessionKey(cohort=cohort, subject=subject, session=name)


def session_state(request):
    """`states` says where its trials stand: what it doesn't name is fresh. Without it, only trials that are `fresh`."""
    content, key = _load(request)
    if content["prepare"] == "unreadable":
        raise ValueError(f"{request.session_file}: profile is missing")
    trials = tuple(_trial_state(content, key, name, request.recipe) for name in content["trials"])
    scaled = "states" in content or all(trial.state == "fresh" for trial in trials)
    return SessionState(scaled=content.get("scaled", scaled), trials=trials)


def _trial_state(content, key, name, recipe):
    fresh = "states" in content or content["trials"][name] == "fresh"
    state = content.get("states", {}).get(name, "fresh" if fresh else "missing")
    return TrialState(
        key=key.of_trial(name),
        state=state,
        reason=f"recipe {recipe}",
        stages=("quality",),
        outcome=Outcome(key=key.of_trial(name), fresh=True, n_cycles=2) if state == "fresh" else None,
    )


def prepare_session(request):
    content, key = _load(request)
    _remember(request, "prepared", key.session)
    _act(content["prepare"])
    if content["prepare"] == "reject":
        return SessionOutcome(key=key, rejection=Rejection(stage="scaling", reason="the static trial has no pelvis"))
    return SessionOutcome(key=key)


def ingest_trial(request, trial):
    content, session = _load(request)
    _remember(request, "processed", trial)
    what, key = content["trials"][trial], session.of_trial(trial)
    _act(what)
    if what == "reject":
        return Outcome(key=key, rejection=Rejection(stage="read_c3d", reason=f"{trial}.c3d is cut short"))
    return Outcome(key=key, fresh=what == "fresh", n_cycles=2)


def record(request, trial, rejection):
    content, key = _load(request)
    if content.get("full_disk"):
        raise WarehouseError("the disk is full.")
    words = [rejection.stage, rejection.reason, rejection.log]
    Path(request.warehouse, f"crash-{key.session}-{trial}.json").write_text(json.dumps(words))
    return Outcome(key=key.of_trial(trial), rejection=rejection)


def leaks(request):
    return request.recipe == "leaky"


STEPS = ChainSteps(
    session_state=session_state,
    prepare_session=prepare_session,
    ingest_trial=ingest_trial,
    record_rejection=record,
    record_crash=record,
    leaks=leaks,
)


def _remember(request, what, name):
    # Which process did it, and where: the test asks whether each had its own.
    Path(request.warehouse, f"{what}-{name}-{os.getpid()}").write_text(str(Path.cwd()))


def _act(what):
    if what == "crash":
        print("segfault ahead", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "linger":
        time.sleep(1)
    if what == "hang":
        time.sleep(600)
    if what == "raise":
        raise ZeroDivisionError("division by zero")
    if what == "full_disk":
        raise WarehouseError("can't write kinematics: the disk is full. Free space and run this again.")
    if what == "misconfigured":
        raise ValueError("recipe gait2hip60: marker_cutoff_hz is missing")
