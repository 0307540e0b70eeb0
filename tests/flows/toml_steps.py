"""The stub chain for sessions with a real `session.toml`: every trial takes `SECONDS` and is accepted, once for all."""

import time
from dataclasses import replace
from pathlib import Path

from stub_steps import STEPS as STUBS

from pipeline.session.session import load_session
from pipeline.storing.staleness import SessionState, TrialState
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome, SessionOutcome

SECONDS = 0.0


def session_state(request):
    session = load_session(Path(request.session_file))
    keys = [session.trial_key(trial.name) for trial in session.trials]
    trials = tuple(_state(key, f"{key.subject}/{key.trial}" in _done(request)) for key in keys)
    return SessionState(scaled=all(trial.state == "fresh" for trial in trials), trials=trials)


def _state(key, is_done):
    if not is_done:
        return TrialState(key=key, state="missing", reason="not done yet")
    return TrialState(key=key, state="fresh", outcome=Outcome(key=key, fresh=True, n_cycles=2))


def _done(request):
    file = Path(request.warehouse, "processed.txt")
    return file.read_text().split() if file.is_file() else []


def prepare_session(request):
    key = load_session(Path(request.session_file)).key
    source = SessionSource(key=key, session_file=request.session_file, recipe=request.recipe, model=request.model)
    remember_source(Warehouse(request.warehouse), source)
    return SessionOutcome(key=key)


def ingest_trial(request, trial):
    key = load_session(Path(request.session_file)).trial_key(trial)
    if f"{key.subject}/{trial}" in _done(request):
        return Outcome(key=key, fresh=True, n_cycles=2)
    time.sleep(SECONDS)
    with Path(request.warehouse, "processed.txt").open("a") as file:
        file.write(f"{key.subject}/{trial}\n")
    return Outcome(key=key, n_cycles=2)


STEPS = replace(STUBS, session_state=session_state, prepare_session=prepare_session, ingest_trial=ingest_trial)
