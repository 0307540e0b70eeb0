import pytest

from pipeline.recordings.external_loads import side_in


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("calcn_r", "right"),
        ("toes_l", "left"),
        ("ground_force_r_v", "right"),
        ("R_ground_force_v", "right"),
        ("Left_GRF", "left"),
        ("RightFoot", "right"),
        ("foot.L", "left"),
        ("ground_force_1_v", None),
        ("ground_force_v", None),
        ("pelvis", None),
        ("l_r", None),
        ("lateral_force", None),
    ],
)
def test_a_side_is_a_word_of_its_own(name, side):
    assert side_in(name) == side
