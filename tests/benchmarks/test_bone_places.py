import numpy as np
import pytest

from benchmarks.bone_places import Region, Surface, extreme_place, harrington_hip, separate, sphere, spines

CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
SIDES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
TRIANGLES = np.array([corners for a, b, c, d in SIDES for corners in ((a, b, c), (a, c, d))])


def box(half_size, centre=(0, 0, 0), tilt=0.0):
    """A box, turned about z by this many radians about its frame's origin."""
    turn = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    return Surface(vertices=(CORNERS * half_size + centre) @ turn.T, triangles=TRIANGLES)


def test_a_flat_side_s_place_is_its_middle_and_not_a_corner():
    place = extreme_place([box((0.03, 0.02, 0.01), (0.5, 0, 0.1))], (1, 0, 0), Region())

    assert place == pytest.approx([0.53, 0, 0.1], abs=2e-4)


def test_a_place_is_at_the_farthest_vertex_s_level():
    up_forward = np.array([1, 1, 0]) / np.sqrt(2)

    place = extreme_place([box((0.03, 0.02, 0.01))], up_forward, Region())

    assert place @ up_forward == pytest.approx(np.array([0.03, 0.02, 0]) @ up_forward)


def test_a_region_without_bone_is_told():
    with pytest.raises(ValueError, match="no part of the bone lies in Region"):
        extreme_place([box((0.03, 0.02, 0.01))], (1, 0, 0), Region(y=(1, 2)))


def test_the_spines_turn_with_the_pelvis():
    ilium = box((0.07, 0.005, 0.005), (-0.07, 0, 0.1))
    tilt = np.radians(10)
    turned = Surface(vertices=box((0.07, 0.005, 0.005), (-0.07, 0, 0.1), tilt).vertices, triangles=TRIANGLES)

    front, back = spines(ilium)
    turned_front, turned_back = spines(turned)

    assert front - back == pytest.approx([0.14, 0, 0], abs=1e-4)
    assert turned_front - turned_back == pytest.approx([0.14 * np.cos(tilt), 0.14 * np.sin(tilt), 0], abs=1e-4)


def test_touching_surfaces_are_one_and_others_apart():
    near, far = box((0.01, 0.01, 0.01)), box((0.01, 0.01, 0.01), (1, 0, 0))
    both = Surface(
        vertices=np.concatenate([near.vertices, far.vertices]),
        triangles=np.concatenate([near.triangles, far.triangles + len(near.vertices)]),
    )

    parts = separate(both)

    assert sorted(part.vertices[:, 0].mean() for part in parts) == pytest.approx([0, 1])
    assert all(part.vertices.shape == (8, 3) for part in parts)


def test_a_sphere_is_found_from_points_on_a_part_of_it():
    rng = np.random.default_rng(0)
    ways = rng.normal(size=(50, 3))
    ways[:, 1] = np.abs(ways[:, 1])
    points = [0.01, -0.02, 0.03] + 0.024 * ways / np.linalg.norm(ways, axis=1, keepdims=True)

    centre, radius = sphere(points)

    assert centre == pytest.approx([0.01, -0.02, 0.03])
    assert radius == pytest.approx(0.024)


def test_the_hip_by_regression_from_level_spines():
    # Harrington et al. 2007, width 240 and depth 150 mm: -0.24 x 150 - 9.9, -0.30 x 240 - 10.9, 0.33 x 240 + 7.3 mm.
    hip = harrington_hip(np.array([0, 0, 0.12]), np.array([-0.15, 0, 0.045]))

    assert 1e3 * hip == pytest.approx([-45.9, -82.9, 86.5])
