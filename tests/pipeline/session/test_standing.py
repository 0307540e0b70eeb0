"""Which recordings stand: made of speeds that are known, as still or walking pelvis and feet."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.read_c3d import read_c3d
from pipeline.records import Recording
from pipeline.session.load_profile import load_profile
from pipeline.session.profile import Profile
from pipeline.session.standing import choose_static, is_standing

RATE_HZ = 100.0
SECONDS = 4.0
TIME_S = np.arange(int(SECONDS * RATE_HZ)) / RATE_HZ


def still() -> np.ndarray:
    return np.zeros((len(TIME_S), 3))


def swung(amplitude_m: float, period_s: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """A place that swings along x."""
    return np.stack([amplitude_m * np.sin(2 * np.pi * (TIME_S / period_s + shift)), 0 * TIME_S, 0 * TIME_S], axis=1)


def straight(speed_m_s: float) -> np.ndarray:
    return np.stack([speed_m_s * TIME_S, 0 * TIME_S, 0 * TIME_S], axis=1)


@pytest.fixture
def moving(walker) -> Callable[..., Recording]:
    """A recording of the profile's markers: `pelvis`, `right` and `left` foot move as given, all else is still."""

    def make(profile: Profile, pelvis: np.ndarray, right: np.ndarray, left: np.ndarray, noise_m: float = 0.0):
        labels = tuple(profile.markers)
        path_of = {
            profile.pelvis.right_anterior: pelvis,
            profile.pelvis.left_anterior: pelvis,
            **dict.fromkeys(profile.pelvis.posterior, pelvis),
            **dict.fromkeys(profile.right_foot.labels, right),
            **dict.fromkeys(profile.left_foot.labels, left),
        }
        markers_m = np.stack([path_of.get(label, still()) for label in labels], axis=1)
        markers_m = markers_m + np.random.default_rng(1).normal(0, noise_m, markers_m.shape)
        return replace(
            walker.recording(), time_s=TIME_S, point_rate_hz=RATE_HZ, marker_labels=labels, markers_m=markers_m
        )

    return make


def test_quiet_standing_sways_a_little_and_markers_are_noisy(moving, profile):
    sway = swung(0.01, period_s=3.0)
    assert is_standing(moving(profile, sway, still(), still(), noise_m=0.5e-3), profile)


def test_a_slow_walk_does_not_stand(moving, profile):
    steps = straight(0.3) + swung(0.1)
    assert not is_standing(moving(profile, straight(0.3), steps, steps), profile)


def test_who_turns_on_the_spot_or_walks_on_a_treadmill_does_not_stand(moving, profile):
    right, left = swung(0.2), swung(0.2, shift=0.5)
    assert not is_standing(moving(profile, swung(0.02), right, left), profile)


def test_a_knee_bend_does_not_stand(moving, profile):
    assert not is_standing(moving(profile, swung(0.2, period_s=2.0), still(), still()), profile)


def test_who_steps_into_place_first_stands(moving, profile):
    stepping = np.where((TIME_S < 0.1 * SECONDS)[:, None], straight(1.0), straight(1.0)[int(0.1 * len(TIME_S))])
    assert is_standing(moving(profile, stepping, stepping, stepping), profile)


def test_a_single_averaged_frame_stands(moving, profile):
    recording = moving(profile, still(), still(), still())
    one = replace(recording, time_s=recording.time_s[:1], markers_m=recording.markers_m[:1])
    assert is_standing(one, profile)


def test_feet_that_are_never_seen_tell_nothing(moving, profile):
    recording = moving(profile, still(), still(), still())
    hidden = recording.markers_m.copy()
    hidden[:, [recording.marker_labels.index(label) for label in profile.left_foot.labels]] = np.nan
    assert not is_standing(replace(recording, markers_m=hidden), profile)


def test_of_two_that_stand_the_one_that_shows_more_of_the_profile_is_taken(moving, profile):
    whole = moving(profile, still(), still(), still())
    fewer = replace(whole, marker_labels=whole.marker_labels[:-1], markers_m=whole.markers_m[:, :-1])
    walk = moving(profile, straight(1.2), straight(1.2), straight(1.2))
    chosen = choose_static({"a.c3d": fewer, "b.c3d": whole, "walk.c3d": walk}, profile)
    assert chosen.name == "b.c3d"
    n = len(profile.markers)
    assert chosen.why == (
        f"shows {n} of the profile's markers and {n} in all; "
        f"a.c3d shows {n - 1} of the profile's markers and {n - 1} in all"
    )
    assert chosen.others == ("a.c3d",)


def test_of_two_alike_only_the_user_knows(moving, profile):
    one = moving(profile, still(), still(), still())
    with pytest.raises(ValueError, match=r"found a\.c3d, b\.c3d, which show equally many markers.*--static FILE"):
        choose_static({"a.c3d": one, "b.c3d": one}, profile)


def test_where_nobody_stands_there_is_none(moving, profile):
    walk = moving(profile, straight(1.2), straight(1.2), straight(1.2))
    assert choose_static({"walk.c3d": walk}, profile).name is None


@pytest.mark.data
def test_a_hospitals_medial_markers_go_before_its_knee_alignment_device(shared_data: Path):
    folder = shared_data / "hospitals" / "FMC"
    recordings = {path.name: read_c3d(path) for path in sorted(folder.glob("*.c3d"))}
    profile = load_profile("plug_in_gait")
    assert [name for name, item in recordings.items() if is_standing(item, profile)] == [
        "MH0222_BP01.c3d",
        "MH0222_BP08.c3d",
    ]
    chosen = choose_static(recordings, profile)
    assert chosen.name == "MH0222_BP08.c3d"
    assert "MH0222_BP01.c3d shows" in chosen.why
    assert "knee-alignment device worn" in chosen.why


@pytest.mark.data
def test_of_real_people_only_static_trials_stand(shared_data: Path):
    profile = load_profile("plug_in_gait")
    standing = {
        path.relative_to(shared_data).as_posix()
        for path in shared_data.glob("walking_children*/**/*.c3d")
        if is_standing(read_c3d(path), profile)
    }
    assert standing == {path.relative_to(shared_data).as_posix() for path in shared_data.glob("*/*/static.c3d")}
