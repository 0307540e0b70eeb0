"""Recordings in which a cluster's strap slipped between the static trial and the walk."""

import pytest

from pipeline.own_model.standing import standing_subject
from pipeline.session.setup import open_session
from pipeline.sizing.size_subject import size_subject

pytestmark = [pytest.mark.osim, pytest.mark.data]

SESSION = """format = 1
[subject]
id = "S"
mass_kg = 85.1
height_m = 1.8
[session]
id = "a"
cohort = "c"
profile = "auto"
static = "static_walk_1.trc"
recordings = "{recordings}"
[trials]
"motion_capture_walk.trc" = {{condition = "walk", forces = "grf_walk.mot"}}
"""


def test_a_cluster_that_slipped_after_standing_costs_its_standing_places_alone(shared_data, tmp_path) -> None:
    # Rajagopal et al. (2016): the left thigh's cluster is 14 mm nearer to the knee's marker walking than standing.
    recordings = shared_data / "opensim_reference" / "rajagopal2016" / "walk"
    file = tmp_path / "session.toml"
    file.write_text(SESSION.format(recordings=recordings), "utf-8")
    setup = open_session(str(file), "gait2hip60", None)
    sized = size_subject(setup, standing_subject(setup))
    slipped = [figure for figure in sized.figures if figure.figure == "standing_place_left_out"]
    assert {figure.of for figure in slipped} == {"L.TH1", "L.TH2", "L.TH3", "L.TH4"}
    assert all(10 < figure.value < 100 and figure.warning for figure in slipped)
    assert not any(figure.refused for figure in sized.figures)
