"""Once a session: the subject's model is made from the static trial and stored with the session's tables."""

from functools import partial

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.osim.version import opensim_version
from pipeline.own_model.standing import standing_subject
from pipeline.records import ScaledModel
from pipeline.sizing.size_subject import size_subject
from pipeline.storing.another_person import remove_another_person
from pipeline.storing.job import Job, open_job
from pipeline.storing.request import SessionRequest
from warehouse.errors import WarehouseError
from warehouse.files.lock import one_writer
from warehouse.files.read import SCALED_MODEL, read_row
from warehouse.files.write import row_file, scaled_model_file, table_file, write_together
from warehouse.holdings.contents import is_session_fresh
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.outcome import Rejection, SessionOutcome
from warehouse.provenance import file_sha256, stable_hash


def prepare_session(request: SessionRequest) -> SessionOutcome:
    """Size the subject's model and store it with the session's tables, unless the warehouse holds just that already.

    ValueError for what the user must correct before anything can run; a static trial that can't be used
    is an outcome, rejected with its stage and reason.
    """
    job = open_job(request)
    key = job.setup.session.key
    source = SessionSource(
        key=key, session_file=str(job.setup.session.file), recipe=request.recipe, model=request.model
    )
    try:
        keys = job.session_keys()
    except TrialRejected as unreadable:
        # A disk that is away, say: nothing is known against what the recordings gave before.
        raise ValueError(f"{job.setup.session.file}: {unreadable.reason}") from unreadable
    try:
        if is_session_fresh(job.warehouse, key, keys["session"]):
            remember_source(job.warehouse, source)
            return SessionOutcome(key=key, fresh=True)
        scaled = size_subject(job.setup, standing_subject(job.setup))
    except TrialRejected as rejected:
        return SessionOutcome(key=key, rejection=Rejection(stage=rejected.stage, reason=rejected.reason))
    with one_writer(job.warehouse, key):
        # Another process may have stored just this meanwhile, and trials that rest on it.
        if not is_session_fresh(job.warehouse, key, keys["session"]):
            if request.replace:
                remove_another_person(job)
            _store(job, scaled, keys)
    remember_source(job.warehouse, source)
    return SessionOutcome(key=key)


def _store(job: Job, scaled: ScaledModel, keys: dict[str, str]) -> None:
    """The session's tables; the `sessions` row vouches for the others."""
    where, key = job.warehouse, job.setup.session.key
    row = partial(row_file, where, key=key, recipe=job.setup.recipe.name)
    table = partial(table_file, where, key=key, recipe=job.setup.recipe.name, provenance_key=keys["scaling"])
    known = {"sex": _known_sex(job)}
    model = scaled_model_file(where, key, scaled.osim_xml)
    files = [
        model,
        table(table="scaling", columns=_scaling(scaled)),
        table(table="static_markers", columns=_static_markers(scaled)),
        table(table="sizing", columns=_sizing(scaled)),
        table(table="body_figures", columns=_body_figures(scaled)),
        # Shared by all sessions of the subject: the same bytes whichever was stored last.
        row(table="subjects", values=known, provenance_key=stable_hash(known)),
    ]
    vouches = {SCALED_MODEL: model.sha256}
    voucher = row(table="sessions", values=_description(job), provenance_key=keys["session"], vouches=vouches)
    write_together(where, files, voucher)


def _scaling(scaled: ScaledModel) -> dict[str, list[str] | np.ndarray]:
    bodies = list(scaled.scale_factors)
    return {
        "body": bodies,
        **{f"scale_{axis}": np.array([scaled.scale_factors[b][i] for b in bodies]) for i, axis in enumerate("xyz")},
        "mass_kg": np.array([scaled.body_mass_kg[body] for body in bodies]),
    }


def _sizing(scaled: ScaledModel) -> dict[str, list[str] | np.ndarray]:
    return {
        "file": [each.file for each in scaled.sized_by],
        "role": ["static" if each.stands else "walk" for each in scaled.sized_by],
        "used": np.array([not each.left_out for each in scaled.sized_by], dtype=bool),
        "reason": [each.left_out for each in scaled.sized_by],
    }


def _body_figures(scaled: ScaledModel) -> dict[str, list[str] | np.ndarray]:
    words = {name: [getattr(each, name) for each in scaled.figures] for name in ("figure", "of", "unit", "warning")}
    numbers = {
        name: np.array([getattr(each, name) for each in scaled.figures], dtype=float)
        for name in ("value", "sd", "limit", "report_limit", "sd_limit")
    }
    return {**words, **numbers}


def _static_markers(scaled: ScaledModel) -> dict[str, list[str] | np.ndarray]:
    labels = [*scaled.marker_error_m, *scaled.dropped_markers]
    errors = [scaled.marker_error_m.get(label, float("nan")) for label in labels]
    return {"marker": labels, "error_m": np.array(errors)}


def _description(job: Job) -> dict[str, object]:
    session = job.setup.session
    return {
        "profile": job.setup.profile.name,
        "recipe": job.setup.recipe.name,
        "model": job.model.name,
        "model_sha256": file_sha256(job.model),
        "static_trial": session.static.name if session.static else None,
        "mass_kg": session.subject.mass_kg,
        "height_m": session.subject.height_m,
        "age_y": session.subject.age_y,
        "opensim_version": opensim_version(),
        "n_trials": len(session.trials),
    }


def _known_sex(job: Job) -> str | None:
    """What this session says, or an earlier one said; ValueError if they contradict each other."""
    session = job.setup.session
    given = session.subject.sex
    try:
        known = read_row(job.warehouse, "subjects", session.key)["sex"]
    except WarehouseError:
        return given
    if given is not None and known is not None and given != known:
        raise ValueError(
            f"{session.file}: sex is {given!r}, an earlier session of this subject says {known!r}. Correct the "
            "one that is wrong; is it the same subject?"
        )
    return given if given is not None else str(known) if known is not None else None
