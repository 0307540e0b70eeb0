"""A virtual subject's body: the built-in model in the subject's size, with the profile's markers on the skin."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.osim.models.default_model import default_model_file
from pipeline.osim.models.mechanics import Mechanics, Station
from pipeline.osim.models.resize import resize_model
from pipeline.osim.models.shared_model import SharedModel, shared_model
from pipeline.records import SIDES, ModelMarker, ScaledModel, Side
from pipeline.session.profile import Profile, ProfileMarker
from pipeline.sizing.priors.landmarks import marker_prior
from pipeline.sizing.priors.mass_shares import mass_shares
from pipeline.user_cache import cache_folder
from pipeline.virtual.person.soles import Sole, sole_of
from pipeline.virtual.records import VirtualSubject

# The range of the adults of ANSUR II (Gordon et al. 2014): the model is an adult's and means nothing beyond it.
MASS_RANGE_KG = (35.8, 144.2)
HEIGHT_RANGE_M = (1.409, 1.993)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The subject's true model, ready to move. One process and one thread; `model.osim_xml` is its file's text.

    profile: the marker set. mechanics: the model without muscles; muscled: with them. markers: each one's place on its
    body, by name. soles: by side, in the subject's size.
    """

    subject: VirtualSubject
    profile: Profile
    model: ScaledModel
    mechanics: Mechanics
    muscled: SharedModel
    markers: Mapping[str, Station]
    soles: Mapping[Side, Sole]


def make_body(subject: VirtualSubject, profile: Profile, placement_sd_m: float, rng: np.random.Generator) -> Body:
    """The built-in model scaled by the subject's factors, masses shared by sex as people's are, markers over its bones.

    Markers are misplaced by a normal deviation of `placement_sd_m` along each axis, fixed for the subject, as palpated
    landmarks are; 0 puts them in their places. ValueError if mass or height is outside the model's range.
    """
    require_adult(subject)
    off_m = (
        rng.normal(0.0, placement_sd_m, (len(profile.markers), 3))
        if placement_sd_m
        else np.zeros((len(profile.markers), 3))
    )
    generic = default_model_file(cache_folder())
    model = resize_model(
        generic,
        factors=subject.segment_factors,
        mass_kg=subject.mass_kg,
        mass_shares=mass_shares(shared_model(generic).summary.body_mass_kg, subject.sex),
        markers=[
            ModelMarker(name=label, body=marker.body, location_m=_placed(marker, subject, off), fixed=False)
            for (label, marker), off in zip(profile.markers.items(), off_m, strict=True)
        ],
    )
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        file = Path(directory) / "body.osim"
        file.write_text(model.osim_xml, "utf-8")
        mechanics, muscled = Mechanics(file), shared_model(file)
    return Body(
        subject=subject,
        profile=profile,
        model=model,
        mechanics=mechanics,
        muscled=muscled,
        markers=mechanics.marker_stations(),
        soles={side: sole_of(profile, side).scaled(model.scale_factors) for side in SIDES},
    )


def _placed(marker: ProfileMarker, subject: VirtualSubject, off_m: np.ndarray) -> tuple[float, float, float]:
    """Where a marker is on the subject's own body: over its bone, and off by so much."""
    prior = marker_prior(marker)
    factors = subject.segment_factors.get(marker.body, (1.0, 1.0, 1.0))
    x, y, z = (b * f + o + m for b, f, o, m in zip(prior.bone_m, factors, prior.over_m, off_m, strict=True))
    return float(x), float(y), float(z)


def require_adult(subject: VirtualSubject) -> None:
    """ValueError if the subject's mass or height is outside the adult model's range."""
    given = (("mass_kg", subject.mass_kg, MASS_RANGE_KG), ("height_m", subject.height_m, HEIGHT_RANGE_M))
    for name, value, (low, high) in given:
        if not low <= value <= high:
            raise ValueError(
                f"virtual subject {subject.subject_id}: {name}={value:g} is outside {low:g} to {high:g}, the adults "
                "that the built-in model can stand for. Give another."
            )
