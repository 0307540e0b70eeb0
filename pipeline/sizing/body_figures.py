"""What an estimated body says of itself: lengths, zeros of angles and how sure they are, and whether it can be right.

Each figure has a limit in the recipe's [scaling] section where it judges the body. Shapes as in `posterior.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import BodyFigure
from pipeline.session.profile import Profile
from pipeline.session.recipe import ScalingSettings
from pipeline.sizing.certainty import certainty_figures, zeros_of_angles
from pipeline.sizing.evidence import Gathered, markers_m
from pipeline.sizing.posterior import Posterior
from pipeline.sizing.priors.places import middles_of_spines, palpation_rad, spines_of
from pipeline.sizing.priors.proportions import ProportionPrior

NAN = float("nan")
# Angles whose zero an estimate of the body moves, and those of them that palpation of the spines turns.
ZEROS = ("pelvis_tilt", "lumbar_extension", "hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle")
TURNED_BY_SPINES = ("pelvis_tilt", "lumbar_extension", "hip_flexion")


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedBody:
    """One session's posterior, with what it was made of."""

    shared: SharedModel
    profile: Profile
    prior: ProportionPrior
    gathered: Gathered
    posterior: Posterior


def body_figures(body: EstimatedBody, settings: ScalingSettings) -> tuple[BodyFigure, ...]:
    """All figures, those that judge first."""
    return (
        *_spines(body, settings),
        *_lumbar(body, settings),
        *_hip_centres(body, settings),
        *_proportions(body, settings),
        *_places(body, settings),
        *_fit(body, settings),
        *_zeros(body, settings),
        *certainty_figures(body.shared, body.gathered, body.posterior),
    )


def _spines(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    """How far the pelvis leans from where its markers' line says."""
    gathered = body.gathered
    if not (all(spines_of(body.profile, gathered.labels)) and "pelvis_tilt" in body.shared.names):
        return
    ahead, behind = middles_of_spines(body.profile, gathered.labels, gathered.priors, markers_m(gathered))
    slope_deg, neutral_deg = (_slope_deg(there - here) for here, there in zip(ahead, behind, strict=True))
    tilt_deg = np.degrees(body.posterior.poses[:, body.shared.names.index("pelvis_tilt")])
    # OpenSim's pelvis tilts forward with a negative angle, and lifts its posterior spines.
    off_deg = -tilt_deg + neutral_deg - slope_deg
    for name, frames in _parts(gathered):
        yield BodyFigure(
            figure="pelvis_less_spines",
            of=name,
            value=_mean(off_deg[frames]),
            unit="degree",
            # Spines that no frame shows tell nothing.
            limit=settings.max_spines_difference_deg if np.isfinite(off_deg[frames]).any() else NAN,
            advice="look at the iliac spines' markers: one over soft tissue, or on another place than the profile says",
        )


def _slope_deg(back: np.ndarray) -> np.ndarray:
    """How steeply ways (N, 3) rise."""
    slope: np.ndarray = np.degrees(np.arctan2(back[:, 1], np.hypot(back[:, 0], back[:, 2])))
    return slope


def _lumbar(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    if "lumbar_extension" not in body.shared.names:
        return
    bent_deg = np.degrees(body.posterior.poses[:, body.shared.names.index("lumbar_extension")])
    for name, frames in _parts(body.gathered):
        yield BodyFigure(
            figure="lumbar_extension",
            of=name,
            value=_mean(bent_deg[frames]),
            unit="degree",
            limit=settings.max_standing_lumbar_deg if name == "standing" else NAN,
            advice="look at the trunk's and the pelvis's markers, and whether the person stood upright",
        )


def _hip_centres(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    gathered, evidence = body.gathered, body.gathered.evidence
    for number, centre in enumerate(gathered.centres, start=len(gathered.labels)):
        if centre.startswith("hip"):
            told = evidence.precision[:, number, 0] > 0
            apart = np.linalg.norm(evidence.measured_m[:, number] - body.posterior.points_m[:, number], axis=1)
            yield BodyFigure(
                figure="hip_centre_from_regression",
                of=centre,
                value=_mean(apart[told]) * 1e3,
                unit="mm",
                limit=settings.max_hip_centre_difference_m * 1e3 if told.any() else NAN,
                advice="look at the iliac spines' markers, and at those of the thigh",
            )


def _proportions(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    posterior, prior = body.posterior, body.prior
    deviations = np.sqrt(np.diag(posterior.covariance))
    for k, name in enumerate(prior.names):
        off = (posterior.shape[k] - prior.mean[k]) / prior.sds()[k]
        yield BodyFigure(
            figure="proportion",
            of=name,
            value=float(np.exp(posterior.shape[k])),
            sd=float(deviations[k] * np.exp(posterior.shape[k])),
            unit="",
            limit=NAN,
        )
        yield BodyFigure(
            figure="proportion_from_prior",
            of=name,
            value=float(off),
            unit="standard deviations",
            limit=settings.max_proportion_sds,
            advice=(
                "compare height_m in session.toml with the person, and look for markers of this segment on another "
                "bone or exchanged"
            ),
        )


def _places(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    gathered = body.gathered
    offsets = body.posterior.shape[len(body.prior.names) :].reshape(-1, 3)
    sd_m = np.sqrt(np.diag(gathered.place_covariance)).reshape(-1, 3)
    for label, share in zip(gathered.labels, offsets / sd_m, strict=True):
        if not gathered.priors[label].technical:
            yield BodyFigure(
                figure="marker_from_bone",
                of=label,
                value=float(np.sqrt(np.mean(share**2))),
                unit="standard deviations",
                limit=NAN if body.profile.markers[label].guide else settings.max_place_sds,
                advice="look whether this marker was on the place that the profile says, or exchanged with another",
            )


def _fit(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    for name, frames in _parts(body.gathered):
        yield BodyFigure(
            figure="marker_error_rms",
            of=name,
            value=float(np.sqrt(np.nanmean(errors_m(body)[frames] ** 2))) * 1e3,
            unit="mm",
            limit=settings.max_sizing_rms_m * 1e3,
            advice="look for markers that are exchanged or on another bone than the profile says",
        )


def _zeros(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    for name, sd_rad in sds_of_zeros_rad(body).items():
        yield BodyFigure(
            figure="zero",
            of=name,
            value=0.0,
            sd=float(np.degrees(sd_rad)),
            unit="degree",
            sd_limit=settings.max_zero_sd_deg,
        )


def sds_of_zeros_rad(body: EstimatedBody) -> dict[str, float]:
    """How uncertain angles are on average, by name: by the estimate, and by how well spines are palpated.

    The pelvis lies as its markers' line says, whose own error the estimate therefore can't tell.
    """
    certain = zeros_of_angles(body.shared, body.gathered, body.posterior)
    palpated_rad = spines_palpated_rad(body)
    stems = {name: name.removesuffix("_r").removesuffix("_l") for name in certain.names}
    return {
        name: float(np.hypot(sd, palpated_rad if stems[name] in TURNED_BY_SPINES else 0.0))
        for name, sd in zip(certain.names, certain.sd, strict=True)
        if stems[name] in ZEROS
    }


def spines_palpated_rad(body: EstimatedBody) -> float:
    """How far palpation alone may have turned this pelvis: a standard deviation."""
    places_m = body.gathered.evidence.places_m(body.posterior.shape)
    return palpation_rad(body.profile, body.gathered.labels, places_m)


def errors_m(body: EstimatedBody) -> np.ndarray:
    """How far each judged marker lies from its measured place, (N, M); NaN where it wasn't seen or isn't judged."""
    gathered = body.gathered
    n_markers = len(gathered.labels)
    apart = np.linalg.norm(gathered.evidence.measured_m - body.posterior.points_m, axis=2)[:, :n_markers]
    judged = [not body.profile.markers[label].guide for label in gathered.labels]
    seen = gathered.evidence.precision[:, :n_markers, 0] > 0
    errors: np.ndarray = np.where(seen & judged, apart, np.nan)
    return errors


def _parts(gathered: Gathered) -> Iterator[tuple[str, np.ndarray]]:
    for name, frames in (("standing", gathered.standing), ("walking", ~gathered.standing)):
        if frames.any():
            yield name, frames


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else NAN
