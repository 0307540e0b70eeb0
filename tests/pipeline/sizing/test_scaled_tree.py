"""A skeleton's arrays in another size, against OpenSim's own scaling of the built-in model."""

import math
from pathlib import Path

import numpy as np
import pytest

from pipeline.mechanics.bodies.poses import body_places, follow_couplings
from pipeline.mechanics.tiny_model import tiny_tree
from pipeline.sizing.scaled_tree import scaled_tree


@pytest.mark.osim
def test_bodies_are_where_opensim_scales_them_to(tmp_path: Path) -> None:
    from pipeline.osim.models.default_model import model_file_of
    from pipeline.osim.models.resize import resize_model
    from pipeline.osim.models.shared_model import shared_model

    generic = shared_model(model_file_of(None)).skeleton
    random = np.random.default_rng(6)
    factors = np.vstack([np.ones(3), random.uniform(0.7, 1.4, (len(generic.bodies) - 1, 3))])
    file = tmp_path / "scaled.osim"
    of_body = dict(zip(generic.bodies[1:], (tuple(map(float, row)) for row in factors[1:]), strict=True))
    scaled = resize_model(model_file_of(None), factors=of_body, mass_kg=70.0, markers=())
    file.write_text(scaled.osim_xml, "utf-8")
    theirs = shared_model(file).skeleton
    poses = generic.default + random.uniform(-0.5, 0.5, (20, len(generic.default)))
    follow_couplings(generic.tree, poses)

    rotation, origin_m = body_places(scaled_tree(generic.tree, factors), poses)

    their_rotation, their_origin_m = body_places(theirs.tree, poses)
    order = [theirs.bodies.index(body) for body in generic.bodies]
    np.testing.assert_allclose(origin_m, their_origin_m[:, order], atol=1e-9)
    np.testing.assert_allclose(rotation, their_rotation[:, order], atol=1e-9)
    assert np.abs(origin_m - body_places(generic.tree, poses)[1]).max() > 0.1


def test_a_joint_moves_with_its_parent_and_a_body_that_hangs_elsewhere_with_itself() -> None:
    tree = tiny_tree()
    tree.body_origin_m[2] = (0.0, -0.2, 0.0)
    poses = np.array([[0.4, math.pi / 2, 0.0]])

    _, origin_m = body_places(scaled_tree(tree, np.array([[1, 1, 1], [1, 2, 1], [1, 3, 1]])), poses)

    # The slider slides over the ground as far as before; its pin is 0.1 m below it, now 0.2; the thigh's own
    # -0.2 m along its length, now -0.6, is turned by a quarter about z.
    np.testing.assert_allclose(origin_m[0, 1], (0.4, 1.0, 0.0), atol=1e-12)
    np.testing.assert_allclose(origin_m[0, 2], (0.4 + 0.6, 1.0 - 0.2, 0.0), atol=1e-12)


def test_masses_are_left_as_they_are() -> None:
    tree = tiny_tree()
    larger = scaled_tree(tree, np.full((3, 3), 1.3))
    assert larger.mass_kg is tree.mass_kg
    assert larger.inertia_kg_m2 is tree.inertia_kg_m2
