"""A body sized by a static trial alone, to look at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.markers.static_trial import pose_static
from pipeline.mechanics.bodies.poses import body_places
from pipeline.osim.models.default_model import model_file_of
from pipeline.records import BodyFigure, Recording
from pipeline.session.profile import Profile
from pipeline.session.recipe import ScalingSettings
from pipeline.session.session import Subject
from pipeline.sizing.body_figures import body_figures
from pipeline.sizing.estimate_body import estimate_body
from pipeline.sizing.scaled_tree import scaled_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingBody:
    """Markers by label, measured and on the estimated body, (3,) metres in ground (x forward, y up, z right).

    bones: body -> from its parent's origin to its own. factors: x, y, z by body. figures: what judges the body.
    """

    measured_m: Mapping[str, np.ndarray]
    modelled_m: Mapping[str, np.ndarray]
    bones: Mapping[str, tuple[np.ndarray, np.ndarray]]
    factors: Mapping[str, tuple[float, float, float]]
    figures: tuple[BodyFigure, ...]


def standing_body(profile: Profile, static: Recording, subject: Subject, settings: ScalingSettings) -> StandingBody:
    """The likeliest body of a static trial, on the built-in model. TrialRejected as for a session's."""
    pose = pose_static(static, profile, settings).pose
    body = estimate_body(
        model_file_of(None), profile=profile, subject=subject, standing=pose, walks={}, settings=settings
    )
    evidence, skeleton = body.gathered.evidence, body.shared.skeleton
    factors = evidence.factors(body.posterior.shape)
    _, origin_m = body_places(scaled_tree(skeleton.tree, factors), body.posterior.poses)
    stands = int(np.flatnonzero(body.gathered.standing)[0])
    return StandingBody(
        measured_m={label: pose.marker(label)[0] for label in pose.labels},
        modelled_m=dict(zip(body.gathered.labels, body.posterior.points_m[stands], strict=False)),
        bones={
            name: (origin_m[stands, skeleton.tree.parent[number]], origin_m[stands, number])
            for number, name in enumerate(skeleton.bodies)
            if skeleton.tree.parent[number] > 0
        },
        factors={
            name: (float(x), float(y), float(z))
            for name, (x, y, z) in zip(skeleton.bodies[1:], factors[1:], strict=True)
        },
        figures=body_figures(body, settings),
    )
