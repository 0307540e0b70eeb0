"""`gait2hip regenerate`: which results are stale by today's recordings, settings, model and code, and why.

Its plan is that of an ingest, of every session that the warehouse remembers; running it computes just what is stale.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from flows.absolute import absolute_model, absolute_recipe, absolute_warehouse
from flows.ingesting.plan import IngestPlan, SessionPlan, plan_requests, with_damage
from flows.ingesting.report import Refusal
from flows.ingesting.steps import CHAIN, ChainSteps
from pipeline.session.recipe import load_recipe
from pipeline.storing.request import SessionRequest
from warehouse.holdings.runs import IngestRun
from warehouse.holdings.sources import SessionSource, read_sources
from warehouse.layout import Warehouse

_STATES = ("fresh", "rejected", "stale", "missing", "unreachable")


def plan_regeneration(
    warehouse: str,
    *,
    recipe: str | None,
    model: Path | None,
    only: Sequence[str] = (),
    steps: ChainSteps = CHAIN,
    damaged: Mapping[str, str] | None = None,
) -> IngestPlan:
    """Look at every session that was ingested, by the settings it was ingested with or those given here.

    What rests on `damaged` files (why, by path) is stale.

    A session of which `only` leaves stale trials out is refused: it would hold what two recipes, models, codes or body
    masses made, and remember one of them. ValueError if nothing is known of any session, or `only` selects no
    trial.
    """
    root = absolute_warehouse(warehouse)
    sources = read_sources(Warehouse(root))
    if not sources:
        raise ValueError(
            f"there is no warehouse at {warehouse}, or it does not know where its sessions' recordings are: none was "
            "ingested into it from C3D files. Check --warehouse, or run `gait2hip ingest`."
        )
    requests = [_request(source, recipe, model, root) for source in sources]
    plan = with_damage(plan_requests(requests, root, only=only, steps=steps), damaged or {})
    mixtures = {session.key: _refused_as_mixture(session) for session in plan.sessions}
    plan = replace(
        plan,
        sessions=tuple(session for session in plan.sessions if mixtures[session.key] is None),
        refused=(*plan.refused, *(refusal for refusal in mixtures.values() if refusal is not None)),
    )
    if not plan.trials and not plan.refused:
        raise ValueError(f"--only {' '.join(only)} selects no trial of the {len(sources)} sessions in {warehouse}.")
    return plan


def check_settings(recipe: str | None, model: Path | None) -> None:
    """ValueError for a recipe or model that no session could be compared with."""
    if recipe is not None:
        load_recipe(recipe)
    if model is not None and not model.is_file():
        raise ValueError(f"the model {model} is not a file: give an .osim file, or none for each session's own.")


def stale_part(plan: IngestPlan) -> IngestPlan:
    """The sessions with something to compute."""
    return replace(plan, sessions=tuple(session for session in plan.sessions if session.is_stale))


def states_in_words(plan: IngestPlan) -> str:
    """How many trials are in which state, and why; how many sessions' models or tables are not as they should be."""
    return "\n".join([_counts(plan), *_reasons(plan), *_unprepared(plan)])


def plan_in_words(plan: IngestPlan, last: IngestRun | None, workers: int) -> str:
    """The plan in words: how many trials are in which state, why, and about how long the work will take."""
    return "\n".join([states_in_words(plan), *_estimate(plan, last, workers)])


def _counts(plan: IngestPlan) -> str:
    counts = Counter[str](trial.state for trial in plan.trials)
    parts = [f"{counts[state]} {state}" for state in _STATES if counts[state]]
    if plan.refused:
        parts.append(f"{len(plan.refused)} sessions can't be run")
    return ", ".join(parts)


def _reasons(plan: IngestPlan) -> Iterator[str]:
    groups = Counter(
        (trial.state, trial.reason, trial.stages)
        for trial in plan.trials
        if trial.state in ("stale", "missing", "unreachable")
    )
    for (state, reason, stages), count in groups.most_common():
        redone = f" [{', '.join(stages)}]" if state == "stale" and stages else ""
        yield f"  {count} {state}: {reason}{redone}"


def _unprepared(plan: IngestPlan) -> Iterator[str]:
    """Sessions that only their trials' states would let pass for up to date."""
    alone = [session for session in plan.sessions if session.up_to_date_but_for_its_model]
    if alone:
        first = alone[0].key
        yield (
            f"  {len(alone)} sessions' scaled models or tables are stale, damaged or gone "
            f"({first.cohort}/{first.subject}/{first.session}{', …' if len(alone) > 1 else ''})"
        )


def _estimate(plan: IngestPlan, last: IngestRun | None, workers: int) -> Iterator[str]:
    n_sessions, n_trials = len(stale_part(plan).sessions), sum(trial.to_do for trial in plan.trials)
    if not n_sessions:
        yield "nothing to do"
    elif not n_trials:
        yield f"{n_sessions} sessions whose scaled models or tables are made again, and no trial"
    elif last is None:
        yield f"{n_trials} trials to compute; no earlier run tells how long that takes"
    else:
        seconds = last.seconds_per_trial * n_trials / workers
        yield (
            f"{n_trials} trials to compute, about {_duration(seconds)} on {workers} workers "
            f"({last.seconds_per_trial:.1f} s a trial in the run of {last.began[:10]})"
        )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _request(source: SessionSource, recipe: str | None, model: Path | None, warehouse: str) -> SessionRequest:
    return SessionRequest(
        session_file=source.session_file,
        recipe=source.recipe if recipe is None else absolute_recipe(recipe),
        model=source.model if model is None else absolute_model(model),
        warehouse=warehouse,
    )


def _refused_as_mixture(session: SessionPlan) -> Refusal | None:
    """Whether some of a session's trials would be computed again, and other stale ones left as they are."""
    left = [trial for trial in session.left_out if trial.state == "stale"]
    if not left or not session.is_stale:
        return None
    file, whole = session.request.session_file, f"{session.key.cohort}/{session.key.subject}/{session.key.session}"
    return Refusal(
        session=file,
        reason=(
            f"{file}: {len(left)} of its stored trials are stale that --only leaves out "
            f"({left[0].key.trial}, …; {left[0].reason}): the session would hold the results of two recipes, models or "
            f"body masses, which nothing may be learnt from. Name the whole session, --only '{whole}', or try the "
            "settings in a copy of the warehouse."
        ),
    )
