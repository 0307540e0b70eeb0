"""What sizing reads and says of its recordings, on a virtual person: what bodies come of it is tested elsewhere."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pipeline.errors import TrialRejected
from pipeline.markers.static_trial import read_static
from pipeline.records import ScaledModel, SizingRecording
from pipeline.session.recipe import PACKAGED_RECIPE
from pipeline.session.setup import SessionSetup, open_session
from pipeline.storing.stages import STAGES

pytestmark = pytest.mark.osim
module = pytest.importorskip("pipeline.sizing.size_subject")


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> SessionSetup:
    """A virtual person's session with a static trial, a walk, and a file that is no recording."""
    from pipeline.virtual.make_laboratory import make_session
    from pipeline.virtual.request import checked_request

    request = checked_request(
        tmp_path_factory.mktemp("laboratory"),
        cohort="healthy",
        subjects=1,
        conditions="med",
        trials=1,
        seed=1,
        blemishes="none",
    )
    folder = make_session(request, 1)
    (folder / "spoilt.c3d").write_bytes(b"not a recording")
    file = folder / "session.toml"
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("sizing")]
    file.write_text("\n".join([*lines, '"spoilt.c3d" = "med"']) + "\n", "utf-8")
    return open_session(str(file), PACKAGED_RECIPE, None)


@pytest.fixture(scope="module")
def sized(setup: SessionSetup) -> ScaledModel:
    return module.size_subject(setup, read_static(setup))


def test_sizing_reads_nothing_of_the_recipe_but_what_its_key_holds(setup: SessionSetup, sized: ScaledModel) -> None:
    recipe, sections = setup.recipe, STAGES["scaling"].sections
    hidden = {name: None for name in type(recipe).model_fields if name not in sections}
    engine = SimpleNamespace(engine=recipe.model.engine) if "engine" in sections else None
    blind = replace(setup, recipe=recipe.model_copy(update={**hidden, "model": engine}))
    assert module.size_subject(blind, read_static(blind)).osim_xml == sized.osim_xml


def test_a_body_says_what_it_was_sized_by_and_what_was_left_out(setup: SessionSetup, sized: ScaledModel) -> None:
    static, walk, spoilt = sized.sized_by
    assert static == SizingRecording(file=setup.session.static.name, stands=True)
    assert walk == SizingRecording(file=setup.session.trials[0].path.name, stands=False)
    assert (spoilt.file, spoilt.stands) == ("spoilt.c3d", False)
    assert spoilt.left_out.startswith("read_c3d: spoilt.c3d")


def test_what_was_looked_for_in_the_input_is_among_the_figures(setup: SessionSetup, sized: ScaledModel) -> None:
    figures = {figure.figure: figure for figure in sized.figures}
    assert figures["height_outside_prior"].value == 0
    assert abs(figures["sides_crossed"].value) < figures["sides_crossed"].limit
    assert abs(figures["standing_travel"].value) < figures["standing_travel"].limit
    assert figures["standing_knee"].report_limit == setup.recipe.scaling.report_standing_knee_deg


def test_walks_of_which_none_can_be_used_size_no_body(setup: SessionSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise TrialRejected("markers", "shows no leg")

    monkeypatch.setattr(module, "trajectories", refuse)
    static = replace(read_static(setup), stands=False)
    with pytest.raises(TrialRejected, match="no static trial, and no walk that sizes the body: markers: shows no leg"):
        module.size_subject(setup, static)
