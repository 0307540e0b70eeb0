"""A virtual subject's body: the built-in model in the subject's size, with the profile's markers on the skin."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.osim.models.default_model import cache_folder, default_model_file
from pipeline.osim.models.mechanics import Mechanics, Station
from pipeline.osim.models.resize import resize_model
from pipeline.osim.models.shared_model import SharedModel, shared_model
from pipeline.records import SIDES, ModelMarker, ScaledModel, Side
from pipeline.session.profile import Profile
from pipeline.virtual.person.soles import Sole, sole_of
from pipeline.virtual.records import VirtualSubject

# The lightest and heaviest, shortest and tallest adults of ANSUR II (Gordon et al. 2014): an adult's model, sized by
# its outside, says nothing of a body beyond them.
MASS_RANGE_KG = (35.8, 144.2)
HEIGHT_RANGE_M = (1.409, 1.993)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The subject's true model, ready to move. One process and one thread; `model.osim_xml` is its file's text.

    profile is whose markers it wears. mechanics moves it, muscled says what its muscles can do. markers: by name, where
    on which body. soles: by side, in the subject's size.
    """

    subject: VirtualSubject
    profile: Profile
    model: ScaledModel
    mechanics: Mechanics
    muscled: SharedModel
    markers: Mapping[str, Station]
    soles: Mapping[Side, Sole]


def make_body(subject: VirtualSubject, profile: Profile, placement_sd_m: float, rng: np.random.Generator) -> Body:
    """The built-in model scaled by the subject's factors and mass, markers at the profile's places.

    Each marker sits off its scaled place by a normal deviation of `placement_sd_m` an axis, fixed for the subject:
    a finger never finds exactly the book's landmark. 0 puts it there. ValueError if the mass or the height is
    outside what the model stands for.
    """
    require_adult(subject)
    markers = [
        ModelMarker(name=label, body=marker.body, location_m=marker.location_m, fixed=False)
        for label, marker in profile.markers.items()
    ]
    off_m = rng.normal(0.0, placement_sd_m, (len(markers), 3)) if placement_sd_m else np.zeros((len(markers), 3))
    model = resize_model(
        default_model_file(cache_folder()),
        factors=subject.segment_factors,
        mass_kg=subject.mass_kg,
        markers=markers,
        moved_m={marker.name: (x, y, z) for marker, (x, y, z) in zip(markers, off_m, strict=True)},
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


def require_adult(subject: VirtualSubject) -> None:
    """ValueError if the subject's mass or height is outside what the adult model stands for."""
    given = (("mass_kg", subject.mass_kg, MASS_RANGE_KG), ("height_m", subject.height_m, HEIGHT_RANGE_M))
    for name, value, (low, high) in given:
        if not low <= value <= high:
            raise ValueError(
                f"virtual subject {subject.subject_id}: {name}={value:g} is outside {low:g} to {high:g}, the adults "
                "that the built-in model can stand for. Give another."
            )
