"""Every part of a model that is misread by a micrometre, or a thousandth, is found and named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
reading = pytest.importorskip("pipeline.osim.arrays.read_model")
same_answers = pytest.importorskip("pipeline.osim.arrays.same_answers")
shared_models = pytest.importorskip("pipeline.osim.models.shared_model")
unsupported = pytest.importorskip("pipeline.osim.arrays.unsupported")

MICROMETRE = 1e-6


@pytest.fixture(scope="module")
def wrapped(pendulum: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pendulum with its front muscle around a cylinder."""
    model = osim.Model(str(pendulum))
    cylinder = osim.WrapCylinder()
    cylinder.setName("roll")
    cylinder.set_radius(0.05)
    cylinder.set_length(0.5)
    cylinder.set_translation(osim.Vec3(0.05, 0.0, 0))
    model.getGround().addWrapObject(cylinder)
    osim.GeometryPath.safeDownCast(model.updMuscles().get("front").updPath()).addPathWrap(cylinder)
    model.finalizeConnections()
    file = tmp_path_factory.mktemp("wrapped") / "wrapped.osim"
    model.printToXML(str(file))
    return file


@pytest.fixture
def shared(wrapped: Path) -> "shared_models.SharedModel":
    return shared_models.read_shared_model(wrapped)


def changed(arrays: object, field: str, by: float, row: int = -1) -> object:
    """A record with one of its arrays moved in one row."""
    values = getattr(arrays, field).copy()
    values[row] += by
    return arrays._replace(**{field: values})


def refused(shared: "shared_models.SharedModel", said: str, **parts: object) -> None:
    skeleton = replace(shared.skeleton, **parts)
    with pytest.raises(unsupported.Unsupported, match=said):
        same_answers.require_same_skeleton(shared.model, skeleton)


def test_what_was_read_right_passes(shared: "shared_models.SharedModel") -> None:
    muscles = shared.muscles
    assert muscles.asked == ()
    same_answers.require_same_skeleton(shared.model, shared.skeleton)
    same_answers.require_same_muscles(shared.model, shared.skeleton, muscles.paths, muscles.opensim_paths)


def test_a_body_out_of_place(shared: "shared_models.SharedModel") -> None:
    moved = changed(shared.skeleton.tree, "joint_origin_m", MICROMETRE)
    refused(shared, r"body pointer: it lies 1\.\de-06 from where", tree=moved)


def test_a_marker_out_of_place(shared: "shared_models.SharedModel") -> None:
    body, place = shared.skeleton.markers["back"]
    moved = {**shared.skeleton.markers, "back": (body, place + np.array([MICROMETRE, 0, 0]))}
    refused(shared, "marker back: it lies", markers=moved)


def test_a_coupler_with_another_slope(shared: "shared_models.SharedModel") -> None:
    tree = shared.skeleton.tree
    functions = tree.functions
    piece = functions.first[tree.coupling[0]]
    steeper = functions.coefficients.copy()
    steeper[piece, 1] *= 1.001
    moved = tree._replace(functions=functions._replace(coefficients=steeper))
    refused(shared, "coupled coordinates pointer_angle: .* from where", tree=moved)


def test_a_mass_a_thousandth_too_large(shared: "shared_models.SharedModel") -> None:
    tree = shared.skeleton.tree
    bob = shared.skeleton.bodies.index("bob")
    heavier = tree.mass_kg.copy()
    heavier[bob] *= 1.001
    refused(shared, "coordinate swing: its inertial forces", tree=tree._replace(mass_kg=heavier))


@pytest.mark.parametrize(
    ("field", "row", "said"),
    [
        ("point_m", 0, "muscle front: its path is"),
        ("point_m", -1, "muscle back: its path is"),
        ("surface_size", 0, "muscle front: its path is"),
        ("surface_origin_m", 0, "muscle front: its path is"),
    ],
)
def test_a_path_with_a_point_or_a_cylinder_out_of_place(
    shared: "shared_models.SharedModel", field: str, row: int, said: str
) -> None:
    paths = shared.muscles.opensim_paths
    moved = changed(paths, field, MICROMETRE, row)
    with pytest.raises(unsupported.Unsupported, match=said):
        same_answers.require_same_muscles(shared.model, shared.skeleton, shared.muscles.paths, moved)


def test_a_straight_path_that_the_laws_lay_elsewhere(shared: "shared_models.SharedModel") -> None:
    moved = changed(shared.muscles.paths, "point_m", MICROMETRE)
    with pytest.raises(unsupported.Unsupported, match="muscle back: its path by the laws is"):
        same_answers.require_same_muscles(shared.model, shared.skeleton, moved, shared.muscles.opensim_paths)


def test_pulls_on_other_bodies(shared: "shared_models.SharedModel") -> None:
    swapped = replace(shared.skeleton, bodies=("ground", "pointer", "bob"))
    with pytest.raises(unsupported.Unsupported, match="muscles' pull on"):
        same_answers.require_same_muscles(shared.model, swapped, shared.muscles.paths, shared.muscles.opensim_paths)


def test_muscles_that_were_misread_are_asked_of_opensim(wrapped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = reading.read_paths

    def misread(*given: object, as_opensim: bool) -> object:
        return changed(right(*given, as_opensim=as_opensim), "point_m", 1e-3)

    monkeypatch.setattr(reading, "read_paths", misread)
    muscles = shared_models.read_shared_model(wrapped).muscles
    assert muscles.paths is muscles.opensim_paths is None
    assert muscles.fibres is not None
    (why,) = muscles.asked
    assert why.startswith("muscle back: its path is ")
    assert muscles.paths_by("corrected") is None


@pytest.mark.parametrize("unsaid", [True, False])
def test_paths_that_one_mechanics_can_t_say_are_asked_of_opensim_by_either(
    wrapped: Path, monkeypatch: pytest.MonkeyPatch, unsaid: bool
) -> None:
    """Whichever the recipe names, what is recorded of the source is what was used."""
    right = reading.read_paths

    def read(*given: object, as_opensim: bool) -> object:
        if as_opensim is unsaid:
            raise unsupported.Unsupported("muscle front: a path of a new kind")
        return right(*given, as_opensim=as_opensim)

    monkeypatch.setattr(reading, "read_paths", read)
    muscles = shared_models.read_shared_model(wrapped).muscles
    assert muscles.asked == ("muscle front: a path of a new kind",)
    assert muscles.paths_by("corrected") is muscles.paths_by("opensim") is None
    assert muscles.fibres is not None
