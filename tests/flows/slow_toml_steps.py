"""The stub chain for sessions with a real `session.toml`, whose trials take a second and are done once for all."""

import time
from pathlib import Path

from toml_steps import (  # noqa: F401
    check_warehouse,
    load_session,
    prepare_session,
    record_crash,
    record_rejection,
)
from toml_steps import process_trial as process

from warehouse.outcome import Outcome

# What every worker would import anew.
PRELOAD = ("pipeline.session.session", "warehouse.holdings.sources")


def process_trial(session, trial, recipe, model, warehouse):
    key = load_session(session, recipe, model, warehouse).key
    done = Path(warehouse, "processed.txt")
    if done.is_file() and f"{key.subject}/{trial}" in done.read_text().split():
        return Outcome(key=key.of_trial(trial), status="accepted", fresh=True, n_cycles=2)
    time.sleep(1)
    return process(session, trial, recipe, model, warehouse)
