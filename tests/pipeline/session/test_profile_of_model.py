import hashlib
from pathlib import Path

import pytest

from pipeline.records import ModelMarker
from pipeline.session.load_profile import load_profile
from pipeline.session.profile_of_model import full_profile_text, profile_of_marker_set
from pipeline.session.setup import open_session
from tests.pipeline.session.test_session import COMPLETE

LOWER_BODY = {
    "pelvis": ("RASI", "LASI", "SACR"),
    "femur_r": ("RKNE", "RTHI"),
    "femur_l": ("LKNE",),
    "tibia_r": ("RANK",),
    "tibia_l": ("LANK",),
    "calcn_r": ("RHEE",),
    "calcn_l": ("LHEE",),
    "toes_r": ("RTOE",),
    "toes_l": ("LTOE",),
    "patella_r": ("ODD",),
    "head": ("RFHD",),
}
MARKERS = [
    ModelMarker(name=label, body=body, location_m=(0.1, 0.2, 0.01 * number), fixed=False)
    for number, (body, label) in enumerate((body, label) for body, labels in LOWER_BODY.items() for label in labels)
]


def test_places_and_bodies_are_the_models(tmp_path) -> None:
    profile = profile_of_marker_set("lab", "lab.osim", "ab" * 32, MARKERS)
    for marker in MARKERS:
        if marker.name != "RFHD":
            assert profile.markers[marker.name].body == marker.body
            assert profile.markers[marker.name].location_m == marker.location_m
    # On another body than the landmark, a marker isn't over it.
    assert profile.markers["RHEE"].landmark == "heel"
    assert profile.markers["RTOE"].landmark == ""
    assert profile.right_foot.toe == ("RTOE",)
    assert "RFHD" not in profile.markers
    path = tmp_path / "lab.toml"
    path.write_text(full_profile_text(profile), "utf-8")
    assert load_profile(str(path)) == profile


def test_a_profile_of_one_model_is_refused_with_another(tmp_path: Path) -> None:
    (tmp_path / "lab.osim").write_text("<lab/>")
    (tmp_path / "other.osim").write_text("<other/>")
    sha256 = hashlib.sha256(b"<lab/>").hexdigest()
    (tmp_path / "lab.toml").write_text(full_profile_text(profile_of_marker_set("lab", "lab.osim", sha256, MARKERS)))
    session = tmp_path / "session.toml"
    session.write_text(COMPLETE.replace('profile = "isb_full_body"', 'profile = "lab.toml"'))
    (tmp_path / "static.c3d").write_text("static")
    setup = open_session(str(session), "gait2hip60", None)
    assert setup.profile.name == "lab"

    setup.refuse_other_model(tmp_path / "lab.osim")
    with pytest.raises(ValueError, match=r"the marker set of lab\.osim .* and the model used is other\.osim"):
        setup.refuse_other_model(tmp_path / "other.osim")


def test_a_set_without_a_pelvis_is_refused() -> None:
    with pytest.raises(ValueError, match="anterior superior iliac spine"):
        profile_of_marker_set("lab", "lab.osim", "", [marker for marker in MARKERS if marker.body != "pelvis"])
