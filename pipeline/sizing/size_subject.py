"""A subject's own model, once a session: from the static trial and walks, or as OpenSim's ScaleTool makes it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.markers.static_trial import StaticTrial
from pipeline.markers.trajectories import trajectories
from pipeline.osim.models.default_model import model_file_of
from pipeline.records import Markers, ScaledModel
from pipeline.session.same_person import check_subject_block
from pipeline.session.setup import SessionSetup
from pipeline.sizing.estimate_body import estimate_body, refuse_beyond, sized_model
from pipeline.sizing.pairs.marker_pairs import scale_by_pairs
from pipeline.sizing.plausible import standing_signs


def size_subject(setup: SessionSetup, static: StaticTrial) -> ScaledModel:
    """The subject's model. TrialRejected if the recordings can't give it, ValueError if the generic model can't.

    A walk that can't be used tells nothing of the body: it is left out, and its own run says why.
    """
    settings, subject = setup.recipe.scaling, setup.session.subject
    check_subject_block(static.recording, subject, settings)
    refuse_beyond(standing_signs(static, setup.profile, subject, settings))
    model_file = model_file_of(setup.model_file)
    with _models_fault():
        if settings.method == "pairs":
            with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
                return scale_by_pairs(setup, static, model_file, Path(directory))
        body = estimate_body(
            model_file,
            profile=setup.profile,
            subject=subject,
            standing=static.pose if static.stands else None,
            walks=_walks(setup, static),
            settings=settings,
        )
        return sized_model(model_file, body, subject, settings)


def _walks(setup: SessionSetup, static: StaticTrial) -> dict[str, Markers]:
    """The markers of the walks that size the body, by trial; of those that can be used."""
    found: dict[str, Markers] = {}
    for trial in setup.session.sizing_trials:
        try:
            tracks = trajectories(read_c3d(trial.path), static, setup.profile, setup.recipe)
        except TrialRejected:
            continue
        found[trial.name] = tracks.smooth.cut(tracks.window)
    return found


@contextmanager
def _models_fault() -> Iterator[None]:
    # The caller chose the model: the recordings are not to blame, and keep what they have given.
    try:
        yield
    except TrialRejected as rejected:
        if rejected.stage != "model":
            raise
        raise ValueError(f"{rejected.reason} Give another file with --model or in the recipe.") from rejected
