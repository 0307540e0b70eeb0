"""The stub chain for sessions with a real `session.toml`: every trial is accepted."""

from pathlib import Path
from types import SimpleNamespace

from stub_steps import PRELOAD, check_warehouse, record_crash, record_rejection  # noqa: F401

from pipeline.session import session as real
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome, SessionOutcome


def load_session(session, recipe, model, warehouse):
    loaded = real.load_session(Path(session))
    return SimpleNamespace(file=loaded.file, key=loaded.key, trials=loaded.trials)


def prepare_session(session, recipe, model, warehouse):
    key: SessionKey = load_session(session, recipe, model, warehouse).key
    remember_source(Warehouse(warehouse), SessionSource(key=key, session_file=session, recipe=recipe, model=model))
    return SessionOutcome(key=key)


def process_trial(session, trial, recipe, model, warehouse):
    key = load_session(session, recipe, model, warehouse).key
    with Path(warehouse, "processed.txt").open("a") as file:
        file.write(f"{key.subject}/{trial}\n")
    return Outcome(key=key.of_trial(trial), status="accepted", n_cycles=2)
