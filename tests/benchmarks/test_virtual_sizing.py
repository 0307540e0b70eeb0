"""Sizing a virtual person, and the tables of it."""

import numpy as np
import pytest

import benchmarks.virtual_sizing as sizing
from benchmarks.virtual_sizing import Laboratory, Miss, coverage_table, covered, error_table


@pytest.fixture(scope="module")
def laboratory():
    return Laboratory()


@pytest.fixture(scope="module")
def misses(laboratory):
    return sizing.size_virtual_people(laboratory, [1], "laboratory", 5.0, "angles", ("static and walks", "walks"))


def worst(misses, kind):
    return max(abs(miss.error / miss.relative) for miss in misses if miss.kind == kind)


@pytest.mark.parametrize("way", ["static and walks", "walks"])
def test_one_person_is_sized_as_the_truth_says(misses, way):
    (one,) = misses[way]
    assert worst(one, "thigh, %") < 4
    assert worst(one, "shank, %") < 4
    assert worst(one, "hip centre under the markers, mm") < 20
    assert worst(one, "hip flexion by inverse kinematics, °") < 6
    assert worst(one, "knee angle by inverse kinematics, °") < 5
    assert covered([miss for miss in one if np.isfinite(miss.sd)]) > 0.75


def test_true_markers_are_where_opensim_has_them_on_the_resized_model(laboratory):
    from pipeline.virtual.person.anthropometry import draw_subject
    from pipeline.virtual.person.body import make_body

    person = sizing.draw_person(laboratory, "laboratory", 1, 0.0, np.random.default_rng([15, 1]))
    # `draw_person` begins with the same draw of the laboratory's own generator.
    body = make_body(
        draw_subject("healthy", 1, np.random.default_rng([15, 1])), laboratory.profile, 0.0, np.random.default_rng(0)
    )
    columns = [laboratory.shared.names.index(name) for name in body.mechanics.names]
    poses = person.gait.walks["med"][:20:5]

    expected_m = body.mechanics.positions_m(poses[:, columns], [body.markers[label] for label in laboratory.labels])

    assert laboratory.markers_m(person, poses) == pytest.approx(expected_m, abs=1e-6)


def test_skin_moves_as_far_as_landmarks_say(laboratory):
    gait = laboratory.gait(1)
    slopes_m = sizing.skin_slopes_m(laboratory, gait, np.random.default_rng(1))
    moved_m = np.einsum("tq,qmx->tmx", gait.walks["med"] - gait.standing, slopes_m)
    far_m = np.sqrt(np.mean((moved_m**2).sum(axis=2), axis=0))
    assert far_m == pytest.approx([prior.soft_tissue_m for prior in laboratory.priors])


def test_people_of_the_prior_have_hips_where_regressions_say_but_for_their_published_errors(laboratory):
    off_m = []
    for which in range(1, 5):
        person = sizing.draw_person(laboratory, "prior", which, 0.0, np.random.default_rng([15, which]))
        priors = dict(zip(laboratory.labels, laboratory.priors, strict=True))
        off_m.append(sizing._hips_off_regression_m(laboratory, person, priors).reshape(2, 3))
    right, left = np.swapaxes(off_m, 0, 1)
    # Palpation, which comes after, moves spines by some 10 mm more, up and down.
    along = np.array([True, False, True])
    assert 2e-3 < np.sqrt(np.mean(right[:, along] ** 2)) < 8e-3
    # Both hips of a person are off alike.
    assert np.abs(right - left * (1, 1, -1)).max() < 6e-3


def test_pieces_make_one_table(tmp_path):
    first, second = ({(5.0, "walks"): [[Miss(kind="thigh, %", error=error, sd=2.0)]]} for error in (3.0, -4.0))
    file = tmp_path / "kept.jsonl"
    assert sizing.with_kept(file, first) == first
    both = sizing.with_kept(file, second)
    assert both == {(5.0, "walks"): [*first[5.0, "walks"], *second[5.0, "walks"]]}


def test_tables_of_known_misses():
    people = [
        [Miss(kind="thigh, %", error=3.0, sd=2.0, relative=4.0)],
        [Miss(kind="thigh, %", error=-4.0, sd=2.0, relative=4.0)],
    ]
    found = {(5.0, "walks"): people}
    # Over 4: 0.75 and -1; root mean square 0.88, mean -0.12. One of two lies within 1.645 * 2.
    assert "| thigh, % | 0.9 (-0.1; 1.0) |" in error_table(found)
    assert "| thigh, % | 50 (0.5) |" in coverage_table(found)
    assert "| all | 50 |" in coverage_table(found)
