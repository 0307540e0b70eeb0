import pytest

from pipeline.session.load_profile import fixed_profiles, load_profile


@pytest.mark.parametrize("name", fixed_profiles())
def test_left_mirrors_right(name):
    markers = load_profile(name).markers
    mirrored = 0
    for label, marker in markers.items():
        twin = ("L" + label[1:]) if label.startswith("R") else None
        if twin in markers:
            x, y, z = marker.location_m
            assert markers[twin].location_m == pytest.approx((x, y, -z), abs=1e-3), label
            assert markers[twin].ik_weight == marker.ik_weight
            mirrored += 1
    assert mirrored >= 15


@pytest.mark.parametrize("name", fixed_profiles())
def test_every_leg_segment_is_tracked_and_scaled(name):
    profile = load_profile(name)
    tracked = {marker.body for marker in profile.markers.values() if marker.ik_weight > 0}
    scaled = {body for item in profile.measurements for body in item.scales}
    legs = {f"{segment}_{side}" for segment in ("femur", "tibia", "calcn") for side in "rl"} | {
        "pelvis",
        "torso",
    }
    assert legs <= tracked
    assert legs <= scaled


def test_a_label_without_a_marker_is_named(tmp_path):
    from importlib.resources import files

    text = (files("pipeline") / "profiles" / "plug_in_gait.toml").read_text("utf-8")
    path = tmp_path / "lab.toml"
    path.write_text(text.replace('heel = "RHEE"', 'heel = "RHEEL"'))
    with pytest.raises(ValueError, match=r"lab.toml.*RHEEL"):
        load_profile(str(path))


def test_coordinates_that_markers_do_not_tell_are_held_near_the_default() -> None:
    tasks = load_profile("isb_full_body").coordinate_tasks
    assert [(task.name, task.value) for task in tasks] == [("pro_sup_r", None), ("pro_sup_l", None)]
    assert all(task.weight > 0 for task in tasks)
    assert load_profile("plug_in_gait").coordinate_tasks == ()


def test_words_about_a_profile_are_nothing_that_results_follow_from() -> None:
    profile = load_profile("isb_full_body")
    told_otherwise = profile.model_copy(update={"name": "a", "description": "b", "source": "c"})
    held_otherwise = profile.model_copy(update={"held": {"pro_sup_r": 0.5}})

    assert told_otherwise.of_results() == profile.of_results()
    assert held_otherwise.of_results() != profile.of_results()
