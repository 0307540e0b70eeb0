"""A session's body as one estimate, and the model made of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.osim.models.resize import resize_model
from pipeline.osim.models.shared_model import shared_model
from pipeline.records import BodyFigure, Markers, ModelMarker, ScaledModel
from pipeline.session.profile import Profile
from pipeline.session.recipe import ScalingSettings
from pipeline.session.session import Subject
from pipeline.sizing.body_figures import EstimatedBody, body_figures, errors_m
from pipeline.sizing.evidence import gather_evidence, without_frames
from pipeline.sizing.outlying import without_outlying_frames, without_slipped_clusters
from pipeline.sizing.plausible import plausible
from pipeline.sizing.posterior import likeliest
from pipeline.sizing.priors.mass_shares import mass_shares
from pipeline.sizing.priors.proportions import proportion_prior
from pipeline.sizing.priors.ranges import reached_deg
from pipeline.sizing.unknown_bones import unknown_bones

_STAGE = "scaling"
# Of the figures beyond their limits, the worst so many are named.
TOLD_AT_ONCE = 6


def estimate_body(
    model_file: Path,
    *,
    profile: Profile,
    subject: Subject,
    standing: Markers | None,
    walks: Mapping[str, Markers],
    settings: ScalingSettings,
) -> EstimatedBody:
    """The likeliest body of a standing pose (one frame), walks (by name, in the ground frame), or both.

    Frames of walks whose poses are not found are left out. TrialRejected("scaling", …) if there is neither, or the
    estimate doesn't settle.
    """
    if standing is None and not walks:
        raise TrialRejected(_STAGE, "neither the static trial nor a walk shows the subject; nothing tells their size.")
    shared = shared_model(model_file)
    prior = proportion_prior(shared.skeleton, subject, settings)
    gathered = gather_evidence(shared, profile, prior, standing, list(walks.values()), settings)
    posterior = likeliest(gathered.evidence)
    stuck = posterior.stuck & ~gathered.standing
    if stuck.any() and not stuck.all():
        # A frame of a walk that no pose explains would hold the body where it is.
        gathered = without_frames(gathered, stuck)
        posterior = likeliest(gathered.evidence)
    if not posterior.converged:
        raise TrialRejected(
            _STAGE,
            f"the estimate of the body did not settle in {posterior.steps} steps. Look for markers that are exchanged "
            "or displaced, or a profile that doesn't fit the laboratory.",
        )
    return EstimatedBody(shared=shared, profile=profile, prior=prior, gathered=gathered, posterior=posterior)


def sized_model(model_file: Path, body: EstimatedBody, subject: Subject, settings: ScalingSettings) -> ScaledModel:
    """The subject's model, its markers where they were estimated to be. TrialRejected if the body can't be right.

    Frames of markers that no body explains, and clusters that slipped after standing, are left out first, and told.
    """
    body, slipped = without_slipped_clusters(body, settings)
    body, left_out = without_outlying_frames(body, settings)
    figures = (
        *plausible(body, subject, settings),
        *body_figures(body, settings),
        *slipped,
        *left_out,
        *unknown_bones(body),
    )
    refuse_beyond(figures)
    evidence, skeleton = body.gathered.evidence, body.shared.skeleton
    factors = evidence.factors(body.posterior.shape)
    places_m = evidence.places_m(body.posterior.shape)
    masses = body.shared.summary.body_mass_kg
    standing_m = errors_m(body)[body.gathered.standing]
    model = resize_model(
        model_file,
        factors={name: _three(factors[number]) for number, name in enumerate(skeleton.bodies) if number},
        mass_kg=subject.mass_kg,
        mass_shares=mass_shares(masses, subject.sex) if settings.mass_shares == "published" else None,
        markers=[
            ModelMarker(name=label, body=body.profile.markers[label].body, location_m=_three(place), fixed=False)
            for label, place in zip(body.gathered.labels, places_m, strict=False)
        ],
        reached_deg=reached_deg(body.shared.names, settings),
    )
    seen = standing_m[0] if len(standing_m) else np.full(len(body.gathered.labels), np.nan)
    return ScaledModel(
        osim_xml=model.osim_xml,
        scale_factors=model.scale_factors,
        body_mass_kg=model.body_mass_kg,
        marker_error_m=dict(zip(body.gathered.labels, map(float, seen), strict=True)),
        dropped_markers=tuple(label for label in body.profile.markers if label not in body.gathered.labels),
        figures=figures,
    )


def refuse_beyond(figures: Sequence[BodyFigure]) -> None:
    """TrialRejected with the figures that are beyond their limits, the worst first; exchanged markers before all."""
    beyond = sorted(
        (figure for figure in figures if figure.refused),
        key=lambda figure: (figure.figure != "exchanged_markers", -abs(figure.value) / figure.limit),
    )
    if beyond:
        found, advice = "; ".join(_in_words(figure) for figure in beyond[:TOLD_AT_ONCE]), _sentence(beyond[0].advice)
        raise TrialRejected(_STAGE, f"no body can be right that is sized by this: {found}. {advice}")


def _in_words(figure: BodyFigure) -> str:
    return (
        f"{figure.figure.replace('_', ' ')} ({figure.of}) is {figure.value:.3g} {figure.unit}, expected at most "
        f"{figure.limit:g}"
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _three(vector: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in vector)
    return x, y, z
