"""A subject's own model, once a session: from the static trial and walks, or as OpenSim's ScaleTool makes it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.markers.static_trial import StaticTrial
from pipeline.markers.trajectories import trajectories
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.models.model import read_summary
from pipeline.recordings.read_recording import read_recording
from pipeline.records import Markers, ScaledModel, SizingRecording
from pipeline.session.recipe import ScalingSettings
from pipeline.session.same_person import check_subject_block
from pipeline.session.session import Subject
from pipeline.session.setup import SessionSetup
from pipeline.sizing.estimate_body import estimate_body, refuse_beyond, sized_model
from pipeline.sizing.pairs.marker_pairs import scale_by_pairs
from pipeline.sizing.plausible import standing_signs


def size_subject(setup: SessionSetup, static: StaticTrial) -> ScaledModel:
    """The subject's model. TrialRejected if the recordings can't give it, ValueError if the generic model can't.

    A walk that can't be used tells nothing of the body: it is left out, and the model says why. Of the recipe only
    [scaling], [markers] and the engine are read.
    """
    settings, subject = setup.recipe.scaling, setup.session.subject
    if setup.session.scaled_model:
        setup.refuse_other_model(setup.session.scaled_model)
        return body_as_given(setup.session.scaled_model, subject, settings)
    model_file = model_file_of(setup.model_file)
    setup.refuse_other_model(model_file)
    check_subject_block(static.recording, subject, settings)
    signs = standing_signs(static, setup.profile, subject, settings)
    refuse_beyond(signs)
    standing = [SizingRecording(file=static.recording.path.name, stands=True)] if static.stands else []
    with _models_fault():
        if settings.method == "pairs":
            with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
                scaled = scale_by_pairs(setup, static, model_file, Path(directory))
                return replace(scaled, figures=(*signs, *scaled.figures), sized_by=tuple(standing))
        walks, left_out = _walks(setup, static)
        body = estimate_body(
            model_file,
            profile=setup.profile,
            subject=subject,
            standing=static.pose if static.stands else None,
            walks=walks,
            settings=settings,
        )
        sized = sized_model(model_file, body, subject, settings)
    walking = [
        SizingRecording(file=trial.path.name, stands=False, left_out=left_out.get(trial.name, ""))
        for trial in setup.session.sizing_trials
    ]
    return replace(sized, figures=(*signs, *sized.figures), sized_by=(*standing, *walking))


def body_as_given(model_file: Path, subject: Subject, settings: ScalingSettings) -> ScaledModel:
    """The subject's own model, of which nothing is judged but its mass. TrialRejected if that is another person's."""
    summary = read_summary(model_file)
    mass_kg = sum(summary.body_mass_kg.values())
    if abs(mass_kg / subject.mass_kg - 1) > settings.max_standing_error:
        raise TrialRejected(
            "scaling",
            f"{model_file.name} weighs {mass_kg:.1f} kg, session.toml says {subject.mass_kg:g} kg, expected the same "
            f"within {settings.max_standing_error:.0%}. Correct the one, or name another `scaled_model`.",
        )
    return ScaledModel(
        osim_xml=model_file.read_text("utf-8"),
        scale_factors={},
        body_mass_kg=summary.body_mass_kg,
        marker_error_m={},
        dropped_markers=(),
    )


def _walks(setup: SessionSetup, static: StaticTrial) -> tuple[dict[str, Markers], dict[str, str]]:
    """The markers of the walks that size the body, by trial, and why the others of them can't be used.

    TrialRejected if there is no other recording, and none can.
    """
    found: dict[str, Markers] = {}
    left_out: dict[str, str] = {}
    for trial in setup.session.sizing_trials:
        try:
            recording = read_recording(trial.path, needed=setup.profile.required_labels)
            tracks = trajectories(recording, static, setup.profile, setup.recipe)
        except TrialRejected as rejected:
            left_out[trial.name] = f"{rejected.stage}: {rejected.reason}"
        else:
            found[trial.name] = tracks.smooth.cut(tracks.window)
    if not found and not static.stands:
        reasons = "; ".join(left_out.values())
        raise TrialRejected("scaling", f"there is no static trial, and no walk that sizes the body: {reasons}")
    return found, left_out


@contextmanager
def _models_fault() -> Iterator[None]:
    # The caller chose the model: the recordings are not to blame, and keep what they have given.
    try:
        yield
    except TrialRejected as rejected:
        if rejected.stage != "model":
            raise
        raise ValueError(f"{rejected.reason} Give another file with --model or in the recipe.") from rejected
