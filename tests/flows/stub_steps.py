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
from types import SimpleNamespace

from warehouse.errors import WarehouseError
from warehouse.identity import SessionKey
from warehouse.outcome import Outcome, SessionOutcome

PRELOAD = ()


def load_session(session, recipe, model, warehouse):
    file = Path(session) / "session.json" if Path(session).is_dir() else Path(session)
    if not file.is_file():
        raise ValueError(f"{file} does not exist.")
    content = json.loads(file.read_text())
    cohort, subject, name = content["key"]
    return SimpleNamespace(
        file=file,
        key=SessionKey(cohort=cohort, subject=subject, session=name),
        trials=tuple(SimpleNamespace(name=trial) for trial in content["trials"]),
        content=content,
    )


def session_state(session, recipe, model, warehouse):
    """Each trial's state is written in the session file too; what `states` doesn't name is fresh."""
    loaded = load_session(session, recipe, model, warehouse)
    if loaded.content["prepare"] == "misconfigured":
        raise ValueError(f"{loaded.file}: profile is missing")
    states = loaded.content.get("states", {})
    trials = [
        SimpleNamespace(
            key=loaded.key.of_trial(name),
            state=states.get(name, "fresh"),
            reason=f"recipe {recipe}",
            stages=("quality",),
            to_do=states.get(name, "fresh") in ("stale", "missing"),
        )
        for name in loaded.content["trials"]
    ]
    return SimpleNamespace(scaled=loaded.content.get("scaled", True), trials=tuple(trials))


def check_warehouse(root):
    try:
        Path(root).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(f"{root} can't be written: {error.strerror}.") from error


def prepare_session(session, recipe, model, warehouse):
    loaded = load_session(session, recipe, model, warehouse)
    _remember(warehouse, "prepared", loaded.key.session)
    _act(loaded.content["prepare"])
    if loaded.content["prepare"] == "reject":
        return SessionOutcome(key=loaded.key, stage="scaling", reason="the static trial has no pelvis")
    return SessionOutcome(key=loaded.key)


def process_trial(session, trial, recipe, model, warehouse):
    loaded = load_session(session, recipe, model, warehouse)
    _remember(warehouse, "processed", trial)
    what = loaded.content["trials"][trial]
    _act(what)
    key = loaded.key.of_trial(trial)
    if what == "reject":
        return Outcome(key=key, status="rejected", stage="read_c3d", reason=f"{trial}.c3d is cut short")
    return Outcome(key=key, status="accepted", fresh=what == "fresh", n_cycles=2)


def record_rejection(session, trial, recipe, model, warehouse, stage, reason, log):
    return record_crash(session, trial, recipe, model, warehouse, stage, reason, log)


def record_crash(session, trial, recipe, model, warehouse, stage, reason, log):
    loaded = load_session(session, recipe, model, warehouse)
    if loaded.content.get("full_disk"):
        raise WarehouseError("the disk is full.")
    Path(warehouse, f"crash-{loaded.key.session}-{trial}.json").write_text(json.dumps([stage, reason, log]))
    return Outcome(key=loaded.key.of_trial(trial), status="rejected", stage=stage, reason=reason)


def _remember(warehouse, what, name):
    # Which process did it, and where: the test asks whether each had its own.
    Path(warehouse, f"{what}-{name}-{os.getpid()}").write_text(str(Path.cwd()))


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
