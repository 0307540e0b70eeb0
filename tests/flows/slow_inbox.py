"""The flow `ingest_inbox` by a chain without science, whose trials take a second: what `serve` runs in its tests."""

from dataclasses import replace

import toml_steps
from prefect import flow

from flows.serving import deployments


def slow_trial(request, trial):
    toml_steps.SECONDS = 1.0
    return toml_steps.ingest_trial(request, trial)


# What every worker would import anew.
deployments.CHAIN = replace(
    toml_steps.STEPS, ingest_trial=slow_trial, preload=("pipeline.session.session", "warehouse.holdings.sources")
)


@flow(name="ingest-inbox")
def ingest_inbox(
    inbox: str,
    warehouse: str,
    recipe: str,
    model: str | None,
    workers: int | None,
    settle_s: float,
    profiles: list[str],
) -> None:
    deployments.ingest_inbox.fn(inbox, warehouse, recipe, model, workers, settle_s, profiles)
