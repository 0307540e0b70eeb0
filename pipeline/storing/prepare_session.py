"""Once a session: the static trial gives the model this subject's size."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.ground.contacts import plates_in_ground
from pipeline.ground.ground_reactions import check_standing
from pipeline.markers.ground_frame import ground_rotation
from pipeline.markers.static_pose import static_pose
from pipeline.osim.engines import load_engine
from pipeline.osim.tools.scale import scale_model
from pipeline.osim.version import opensim_version
from pipeline.records import Markers, Measurement, ModelMarker, ScaledModel
from pipeline.session.profile import Profile
from pipeline.session.same_person import check_subject_block
from pipeline.storing.job import Job, open_job
from warehouse.errors import WarehouseError
from warehouse.files.lock import one_writer
from warehouse.files.read import read_row
from warehouse.files.write import row_file, scaled_model_file, table_file, write_together
from warehouse.holdings.contents import is_session_fresh
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.outcome import SessionOutcome
from warehouse.provenance import file_sha256, stable_hash


def prepare_session(
    session_file: str, recipe_source: str, model_file: str | None, warehouse_root: str
) -> SessionOutcome:
    """Scale the model and store it with the session's tables; nothing is done twice.

    ValueError for what the user must correct before anything can run; a static trial that can't be used
    is an outcome, rejected with its stage and reason.
    """
    job = open_job(session_file, recipe_source, model_file, warehouse_root)
    source = SessionSource(
        key=job.session.key, session_file=str(job.session.file), recipe=recipe_source, model=model_file
    )
    try:
        keys = job.session_keys()
        if is_session_fresh(job.warehouse, job.session.key, keys["session"]):
            remember_source(job.warehouse, source)
            return SessionOutcome(key=job.session.key, fresh=True)
        scaled = scale_session(job)
    except TrialRejected as rejected:
        if rejected.stage == "model":
            # The caller chose the model: the recordings are not to blame, and keep what they have given.
            raise ValueError(f"{rejected.reason} Give another file with --model or in the recipe.") from rejected
        return SessionOutcome(key=job.session.key, stage=rejected.stage, reason=rejected.reason)
    with one_writer(job.warehouse, job.session.key):
        # Another process may have stored just this meanwhile, and trials that rest on it.
        if not is_session_fresh(job.warehouse, job.session.key, keys["session"]):
            _store(job, scaled, keys)
    remember_source(job.warehouse, source)
    return SessionOutcome(key=job.session.key)


def scale_session(job: Job) -> ScaledModel:
    """The session's scaled model. TrialRejected names what is wrong with the static trial."""
    recording = read_c3d(job.session.static)
    settings, mass_kg = job.recipe.scaling, job.session.subject.mass_kg
    check_subject_block(recording, job.session.subject)
    pose, _ = static_pose(recording, job.profile, settings.static_window_s)
    plates = plates_in_ground(recording, ground_rotation(recording, job.profile))
    check_standing(recording, plates, mass_kg, settings)
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        return scale_model(
            job.model,
            markers=_model_markers(job.profile),
            measurements=_measurements(job.profile, pose),
            marker_weights={label: marker.static_weight for label, marker in job.profile.markers.items()},
            coordinate_tasks=job.profile.coordinate_tasks,
            static=pose,
            mass_kg=mass_kg,
            preserve_mass_distribution=settings.preserve_mass_distribution,
            engine=load_engine(job.recipe.model.engine),
            accuracy=settings.ik_accuracy,
            directory=Path(directory),
        )


def _model_markers(profile: Profile) -> tuple[ModelMarker, ...]:
    return tuple(
        ModelMarker(name=label, body=marker.body, location_m=marker.location_m, fixed=False)
        for label, marker in profile.markers.items()
    )


def _measurements(profile: Profile, pose: Markers) -> tuple[Measurement, ...]:
    """The profile's measurements, without the pairs whose optional markers this laboratory didn't place."""
    found = []
    for item in profile.measurements:
        pairs = tuple(pair for pair in item.pairs if set(pair) <= set(pose.labels))
        if not pairs:
            raise TrialRejected(
                "scaling",
                f"the static trial shows no marker pair of measurement {item.name!r} "
                f"({'; '.join('-'.join(pair) for pair in item.pairs)}), which sizes {', '.join(item.scales)}.",
            )
        found.append(Measurement(name=item.name, pairs=pairs, scales=tuple(item.scales.items())))
    return tuple(found)


def _store(job: Job, scaled: ScaledModel, keys: dict[str, str]) -> None:
    """The session's tables; the `sessions` row vouches for the others."""
    where, key = job.warehouse, job.session.key
    row = partial(row_file, where, key=key, recipe=job.recipe.name)
    table = partial(table_file, where, key=key, recipe=job.recipe.name, provenance_key=keys["scaling"])
    known = {"sex": _known_sex(job)}
    files = [
        scaled_model_file(where, key, scaled.osim_xml),
        table(table="scaling", columns=_scaling(scaled)),
        table(table="static_markers", columns=_static_markers(scaled)),
        # Shared by all sessions of the subject: the same bytes whichever was stored last.
        row(table="subjects", values=known, provenance_key=stable_hash(known)),
    ]
    write_together(where, files, row(table="sessions", values=_description(job), provenance_key=keys["session"]))


def _scaling(scaled: ScaledModel) -> dict[str, list[str] | np.ndarray]:
    bodies = list(scaled.scale_factors)
    return {
        "body": bodies,
        **{f"scale_{axis}": np.array([scaled.scale_factors[b][i] for b in bodies]) for i, axis in enumerate("xyz")},
        "mass_kg": np.array([scaled.body_mass_kg[body] for body in bodies]),
    }


def _static_markers(scaled: ScaledModel) -> dict[str, list[str] | np.ndarray]:
    labels = [*scaled.marker_error_m, *scaled.dropped_markers]
    errors = [scaled.marker_error_m.get(label, float("nan")) for label in labels]
    return {"marker": labels, "error_m": np.array(errors)}


def _description(job: Job) -> dict[str, object]:
    session = job.session
    return {
        "profile": job.profile.name,
        "recipe": job.recipe.name,
        "model": job.model.name,
        "model_sha256": file_sha256(job.model),
        "static_trial": session.static.name,
        "mass_kg": session.subject.mass_kg,
        "height_m": session.subject.height_m,
        "age_y": session.subject.age_y,
        "opensim_version": opensim_version(),
        "n_trials": len(session.trials),
    }


def _known_sex(job: Job) -> str | None:
    """What this session says, or an earlier one said; ValueError if they contradict each other."""
    given = job.session.subject.sex
    try:
        known = read_row(job.warehouse, "subjects", job.session.key)["sex"]
    except WarehouseError:
        return given
    if given is not None and known is not None and given != known:
        raise ValueError(
            f"{job.session.file}: sex is {given!r}, an earlier session of this subject says {known!r}. Correct the "
            "one that is wrong; is it the same subject?"
        )
    return given if given is not None else str(known) if known is not None else None
