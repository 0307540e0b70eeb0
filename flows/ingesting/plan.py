"""What there is to do: sessions and their trials against today's recordings, settings, model and code.

A plan is made once, before anything runs, and without OpenSim.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from flows.absolute import absolute_model, absolute_recipe, absolute_warehouse
from flows.ingesting.report import Refusal
from flows.ingesting.selection import check_patterns, is_selected
from flows.ingesting.steps import CHAIN, ChainSteps
from pipeline.session.session import session_file_of
from pipeline.storing.request import SessionRequest
from pipeline.storing.staleness import SessionState, TrialState
from warehouse.holdings.contents import session_files, trial_files
from warehouse.holdings.sources import stored_spellings
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome

_LIBRARIES = ("c3d", "opensim", "scipy")
# Hashing recordings and reading rows wait for disks.
_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    """A session, whether its scaled model and tables are up to date, its selected trials and those left out."""

    request: SessionRequest
    key: SessionKey
    is_scaled: bool
    trials: tuple[TrialState, ...]
    left_out: tuple[TrialState, ...] = ()

    @property
    def up_to_date(self) -> tuple[Outcome, ...]:
        """What the warehouse holds already. Nothing of a session that is to be prepared: that may refuse its trials."""
        if not self.is_scaled:
            return ()
        return tuple(trial.outcome for trial in self.trials if trial.outcome is not None)

    @property
    def to_run(self) -> tuple[str, ...]:
        """The names of the other selected trials."""
        return tuple(trial.key.trial for trial in self.trials if not self.is_scaled or trial.outcome is None)

    @property
    def up_to_date_but_for_its_model(self) -> bool:
        """Whether its scaled model or tables are not up to date, and each of its trials is, taken alone."""
        return not self.is_scaled and all(trial.outcome is not None for trial in self.trials)

    @property
    def is_stale(self) -> bool:
        """Whether regenerating computes anything of it. A trial that can't be reached alone is no reason."""
        return bool(self.trials) and (not self.is_scaled or any(trial.to_do for trial in self.trials))


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestPlan:
    """Sessions of one warehouse, and those refused because they can't be run as configured."""

    warehouse: str
    sessions: tuple[SessionPlan, ...]
    refused: tuple[Refusal, ...]

    @property
    def trials(self) -> tuple[TrialState, ...]:
        """Every selected trial of every session."""
        return tuple(trial for session in self.sessions for trial in session.trials)


def plan_ingest(
    sessions: Sequence[Path],
    *,
    warehouse: str,
    recipe: str,
    model: Path | None,
    replace: bool = False,
    steps: ChainSteps = CHAIN,
) -> IngestPlan:
    """Look at sessions (folders or session files) that are to be ingested, by these settings, into this warehouse.

    A session that can't be run as configured, or would overwrite another person's unless it is to `replace` that, is
    refused; one that is named twice is there once. ValueError if what ingest needs is not installed.
    """
    _require_installed()
    root = absolute_warehouse(warehouse)
    files, refused = [], []
    for path in dict.fromkeys(path.absolute() for path in sessions):
        try:
            files.append(str(session_file_of(path)))
        except ValueError as error:
            refused.append(Refusal(session=str(path), reason=str(error)))
    requests = [
        SessionRequest(
            session_file=file,
            recipe=absolute_recipe(recipe),
            model=absolute_model(model),
            warehouse=root,
            replace=replace,
        )
        for file in dict.fromkeys(files)
    ]
    plan = plan_requests(requests, root, steps=steps)
    return IngestPlan(warehouse=root, sessions=plan.sessions, refused=(*refused, *plan.refused))


def plan_requests(
    requests: Sequence[SessionRequest], warehouse: str, *, only: Sequence[str] = (), steps: ChainSteps = CHAIN
) -> IngestPlan:
    """Look at every session; `only` are patterns of the trials that are meant, none meaning all.

    Of two files that are the same session the second is refused, and so is a name that another one differs from in
    case only. ValueError for a pattern that can match nothing.
    """
    check_patterns(only)
    spellings = stored_spellings(Warehouse(warehouse))
    plans: dict[SessionKey, SessionPlan] = {}
    refused: list[Refusal] = []
    for request, state in zip(requests, _states(requests, steps.session_state), strict=True):
        if isinstance(state, Refusal):
            refused.append(state)
            continue
        session = _session_plan(request, state, only)
        if other_name := spellings.other_than(session.key):
            refused.append(_refused_as_spelt(session, other_name))
            continue
        other = plans.setdefault(session.key, session)
        if other is not session and not _is_same_file(session, other):
            refused.append(_refused_as_same(session, other))
    return IngestPlan(warehouse=warehouse, sessions=tuple(plans.values()), refused=tuple(refused))


def with_damage(plan: IngestPlan, damaged: Mapping[str, str]) -> IngestPlan:
    """The plan with what rests on damaged files (why, by path) to be done again."""
    if not damaged:
        return plan
    warehouse = Warehouse(plan.warehouse)
    return dataclasses.replace(
        plan, sessions=tuple(_session_with_damage(session, warehouse, damaged) for session in plan.sessions)
    )


def _session_with_damage(session: SessionPlan, warehouse: Warehouse, damaged: Mapping[str, str]) -> SessionPlan:
    def looked_at(trial: TrialState) -> TrialState:
        broken = [damaged[path] for path in trial_files(warehouse, trial.key) if path in damaged]
        if not broken or trial.state in ("unreachable", "missing"):
            return trial
        return TrialState(key=trial.key, state="stale", reason=broken[0])

    return dataclasses.replace(
        session,
        is_scaled=session.is_scaled and not damaged.keys() & set(session_files(warehouse, session.key)),
        trials=tuple(looked_at(trial) for trial in session.trials),
        left_out=tuple(looked_at(trial) for trial in session.left_out),
    )


def _states(
    requests: Sequence[SessionRequest], session_state: Callable[[SessionRequest], SessionState]
) -> list[SessionState | Refusal]:
    def look(request: SessionRequest) -> SessionState | Refusal:
        try:
            return session_state(request)
        except ValueError as error:
            return Refusal(session=request.session_file, reason=str(error))

    if len(requests) < 2:
        return [look(request) for request in requests]
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(look, requests))


def _session_plan(request: SessionRequest, state: SessionState, only: Sequence[str]) -> SessionPlan:
    selected = [is_selected(trial.key, only) for trial in state.trials]
    return SessionPlan(
        request=request,
        # A session without trials is refused when it is read.
        key=state.trials[0].key.session_key,
        is_scaled=state.scaled,
        trials=tuple(trial for trial, is_meant in zip(state.trials, selected, strict=True) if is_meant),
        left_out=tuple(trial for trial, is_meant in zip(state.trials, selected, strict=True) if not is_meant),
    )


def _is_same_file(session: SessionPlan, other: SessionPlan) -> bool:
    return Path(session.request.session_file).samefile(other.request.session_file)


def _refused_as_spelt(session: SessionPlan, other: str) -> Refusal:
    file, key = session.request.session_file, session.key
    reason = (
        f"{file} is session {key.cohort}/{key.subject}/{key.session}, and there is {other}: where capitals don't "
        "count, as on Windows, one would overwrite the other. Spell both alike, or choose another name."
    )
    return Refusal(session=file, reason=reason)


def _refused_as_same(session: SessionPlan, other: SessionPlan) -> Refusal:
    file, key = session.request.session_file, session.key
    reason = (
        f"{file} and {other.request.session_file} are both session {key.session} of subject {key.subject} in cohort "
        f"{key.cohort}: one would overwrite the other. Correct one."
    )
    return Refusal(session=file, reason=reason)


def _require_installed() -> None:
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise ValueError(f"{', '.join(missing)} not installed. Install: pip install 'gait2hip[pipeline,flows]'.")
