"""`gait2hip regenerate`: what a warehouse holds against today's recordings, settings, model and code.

The survey says what is stale and why; running it is an ingest of just that.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from flows.ingesting.ingest import STEPS, IngestReport, Listener, Refusal, steps_of
from flows.ingesting.run_ingest import ingest
from flows.ingesting.selection import check_patterns, is_selected
from warehouse.holdings.runs import IngestRun
from warehouse.holdings.sources import SessionSource, read_sources
from warehouse.layout import Warehouse

if TYPE_CHECKING:
    from pipeline.storing.staleness import TrialState

_STATES = ("fresh", "rejected", "stale", "missing", "unreachable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Every selected trial's state, the sessions that can't be run as configured, and the sessions with work to do."""

    states: tuple["TrialState", ...]
    refused: tuple[Refusal, ...]
    to_run: tuple[SessionSource, ...]
    only: tuple[str, ...]

    @property
    def to_do(self) -> tuple["TrialState", ...]:
        """The trials that regenerating computes."""
        return tuple(state for state in self.states if state.to_do)


def survey(
    warehouse: str, *, recipe: str | None, model: Path | None, only: Sequence[str] = (), steps: str = STEPS
) -> Survey:
    """Look at every session that was ingested, by the settings it was ingested with or those given here.

    A session of which `only` leaves stale trials out is refused: it would hold what two recipes, models, codes or body
    masses made, and remember one of them. ValueError if nothing is known of any session, or `only` selects no
    trial.
    """
    check_patterns(only)
    sources = read_sources(Warehouse(warehouse))
    if not sources:
        raise ValueError(
            f"the warehouse {warehouse} does not know where its sessions' recordings are: none was ingested into it "
            "from C3D files. Check --warehouse, or run `gait2hip ingest`."
        )
    states: list[TrialState] = []
    refused: list[Refusal] = []
    to_run: list[SessionSource] = []
    for remembered in sources:
        source = _with(remembered, recipe, model)
        try:
            found = steps_of(steps).session_state(source.session_file, source.recipe, source.model, warehouse)
            _refuse_mixture(source, found.trials, only)
        except ValueError as error:
            refused.append(Refusal(session=source.session_file, reason=str(error)))
            continue
        chosen = [state for state in found.trials if is_selected(state.key, only)]
        states += chosen
        if chosen and (not found.scaled or any(state.to_do for state in chosen)):
            to_run.append(source)
    if not states and not refused:
        raise ValueError(f"--only {' '.join(only)} selects no trial of the {len(sources)} sessions in {warehouse}.")
    return Survey(states=tuple(states), refused=tuple(refused), to_run=tuple(to_run), only=tuple(only))


def regenerate(
    found: Survey,
    warehouse: str,
    *,
    workers: int,
    on_progress: Callable[[int], Listener],
    steps: str = STEPS,
    cluster: str = "",
) -> IngestReport:
    """Compute what the survey found to do. What it touches is replaced trial by trial, the old kept until then."""
    reports = [
        ingest(
            [Path(source.session_file) for source in members],
            warehouse=warehouse,
            recipe=recipe,
            model=None if model is None else Path(model),
            workers=workers,
            on_progress=on_progress,
            only=found.only,
            steps=steps,
            cluster=cluster,
        )
        for (recipe, model), members in _by_settings(found.to_run)
    ]
    return IngestReport(
        outcomes=tuple(outcome for report in reports for outcome in report.outcomes),
        refused=(*found.refused, *(refusal for report in reports for refusal in report.refused)),
    )


def describe_states(found: Survey) -> str:
    """How many trials are in which state, and why."""
    return "\n".join([_counts(found), *_reasons(found)])


def describe(found: Survey, last: IngestRun | None, workers: int) -> str:
    """The plan in words: how many trials are in which state, why, and about how long the work will take."""
    return "\n".join([describe_states(found), *_estimate(found, last, workers)])


def _counts(found: Survey) -> str:
    counts = Counter[str](state.state for state in found.states)
    parts = [f"{counts[state]} {state}" for state in _STATES if counts[state]]
    if found.refused:
        parts.append(f"{len(found.refused)} sessions can't be run")
    return ", ".join(parts)


def _reasons(found: Survey) -> Iterator[str]:
    groups = Counter(
        (state.state, state.reason, state.stages)
        for state in found.states
        if state.state in ("stale", "missing", "unreachable")
    )
    for (state, reason, stages), count in groups.most_common():
        redone = f" [{', '.join(stages)}]" if state == "stale" and stages else ""
        yield f"  {count} {state}: {reason}{redone}"


def _estimate(found: Survey, last: IngestRun | None, workers: int) -> Iterator[str]:
    if not found.to_run:
        yield "nothing to do"
    elif not found.to_do:
        yield f"{len(found.to_run)} sessions whose scaled models or tables are made again, and no trial"
    elif last is None:
        yield f"{len(found.to_do)} trials to compute; no earlier run tells how long that takes"
    else:
        seconds = last.seconds_per_trial * len(found.to_do) / workers
        yield (
            f"{len(found.to_do)} trials to compute, about {_duration(seconds)} on {workers} workers "
            f"({last.seconds_per_trial:.1f} s a trial in the run of {last.began[:10]})"
        )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _refuse_mixture(source: SessionSource, trials: Sequence["TrialState"], only: Sequence[str]) -> None:
    """ValueError if some of a session's trials would be made anew, and other stale ones left as they are."""
    anew = [state for state in trials if state.to_do and is_selected(state.key, only)]
    left = [state for state in trials if state.state == "stale" and not is_selected(state.key, only)]
    if anew and left:
        whole = f"{source.key.cohort}/{source.key.subject}/{source.key.session}"
        raise ValueError(
            f"{source.session_file}: {len(left)} of its stored trials are stale that --only leaves out "
            f"({left[0].key.trial}, …; {left[0].reason}): the session would hold the results of two recipes, models or "
            f"body masses, which nothing may be learnt from. Name the whole session, --only '{whole}', or try the "
            "settings in a copy of the warehouse."
        )


def _with(source: SessionSource, recipe: str | None, model: Path | None) -> SessionSource:
    return SessionSource(
        key=source.key,
        session_file=source.session_file,
        recipe=source.recipe if recipe is None else _recipe_source(recipe),
        model=source.model if model is None else str(model.absolute()),
    )


def _recipe_source(recipe: str) -> str:
    """As it is remembered: a packaged recipe's name, or a file's absolute path."""
    return str(Path(recipe).absolute()) if Path(recipe).is_file() else recipe


def _by_settings(sources: Sequence[SessionSource]) -> Iterator[tuple[tuple[str, str | None], list[SessionSource]]]:
    def settings(source: SessionSource) -> tuple[str, str | None]:
        return source.recipe, source.model

    for shared, members in groupby(sorted(sources, key=lambda s: (s.recipe, s.model or "")), key=settings):
        yield shared, list(members)
