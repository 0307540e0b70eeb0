"""A subject's own model from the static trial, once a session."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import plates_in_ground
from pipeline.ground.ground_reactions import check_standing
from pipeline.markers.ground_frame import ground_rotation
from pipeline.markers.static_trial import StaticTrial
from pipeline.osim.engines import load_engine
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.tools.scale import scale_model
from pipeline.records import Markers, Measurement, ModelMarker, ScaledModel
from pipeline.session.profile import Profile
from pipeline.session.same_person import check_subject_block
from pipeline.session.setup import SessionSetup


def size_subject(setup: SessionSetup, static: StaticTrial) -> ScaledModel:
    """The subject's model. TrialRejected if the static trial can't give it, ValueError if the generic model can't."""
    settings, subject, profile = setup.recipe.scaling, setup.session.subject, setup.profile
    check_subject_block(static.recording, subject, settings)
    plates = plates_in_ground(static.recording, ground_rotation(static.recording, profile))
    check_standing(static.recording, plates, subject.mass_kg, settings)
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory, _models_fault():
        return scale_model(
            model_file_of(setup.model_file),
            markers=_model_markers(profile),
            measurements=_measurements(profile, static.pose),
            marker_weights={label: marker.static_weight for label, marker in profile.markers.items()},
            coordinate_tasks=profile.coordinate_tasks,
            static=static.pose,
            mass_kg=subject.mass_kg,
            preserve_mass_distribution=settings.preserve_mass_distribution,
            engine=load_engine(setup.recipe.model.engine),
            accuracy=settings.ik_accuracy,
            directory=Path(directory),
        )


@contextmanager
def _models_fault() -> Iterator[None]:
    # The caller chose the model: the recordings are not to blame, and keep what they have given.
    try:
        yield
    except TrialRejected as rejected:
        if rejected.stage != "model":
            raise
        raise ValueError(f"{rejected.reason} Give another file with --model or in the recipe.") from rejected


def _model_markers(profile: Profile) -> tuple[ModelMarker, ...]:
    return tuple(
        ModelMarker(name=label, body=marker.body, location_m=marker.location_m, fixed=False)
        for label, marker in profile.markers.items()
    )


def _measurements(profile: Profile, pose: Markers) -> tuple[Measurement, ...]:
    """The profile's measurements, without the pairs whose optional markers this laboratory didn't place."""
    measurements = []
    for item in profile.measurements:
        pairs = tuple(pair for pair in item.pairs if set(pair) <= set(pose.labels))
        if not pairs:
            raise TrialRejected(
                "scaling",
                f"the static trial shows no marker pair of measurement {item.name!r} "
                f"({'; '.join('-'.join(pair) for pair in item.pairs)}), which sizes {', '.join(item.scales)}.",
            )
        measurements.append(Measurement(name=item.name, pairs=pairs, scales=tuple(item.scales.items())))
    return tuple(measurements)
