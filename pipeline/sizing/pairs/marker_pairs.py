"""A subject's model by the distances of the profile's marker pairs: OpenSim's ScaleTool, for comparison."""

from dataclasses import replace
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.markers.static_trial import StaticTrial
from pipeline.osim.engines import load_engine
from pipeline.osim.tools.scale import scale_model
from pipeline.records import Markers, Measurement, ModelMarker, ScaledModel
from pipeline.session.profile import Profile
from pipeline.session.setup import SessionSetup
from pipeline.sizing.pairs.static_fit import static_fit


def scale_by_pairs(setup: SessionSetup, static: StaticTrial, model_file: Path, directory: Path) -> ScaledModel:
    """Segments sized by marker pairs, markers moved onto the measured ones. TrialRejected if a pair is missing."""
    settings, profile = setup.recipe.scaling, setup.profile
    scaled = scale_model(
        model_file,
        markers=_model_markers(profile),
        measurements=_measurements(profile, static.pose),
        marker_weights={label: marker.static_weight for label, marker in profile.markers.items()},
        coordinate_tasks=profile.coordinate_tasks,
        static=static.pose,
        mass_kg=setup.session.subject.mass_kg,
        preserve_mass_distribution=settings.preserve_mass_distribution,
        engine=load_engine(setup.recipe.model.engine),
        accuracy=settings.ik_accuracy,
        directory=directory,
    )
    return replace(scaled, figures=(static_fit(scaled.marker_error_m, profile, settings),))


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
