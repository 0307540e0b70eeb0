from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipeline.osim.tools import setups
from pipeline.records import CoordinateTask, Measurement


def test_ik_tasks_say_where_a_coordinate_is_held() -> None:
    tasks = setups.ik_tasks(
        {"R.ASIS": 10},
        [CoordinateTask(name="mtp", weight=5, value=None), CoordinateTask(name="knee", weight=2, value=0.25)],
    )
    kinds = [(t.get("name"), t.findtext("value_type"), t.findtext("value")) for t in tasks.iter("IKCoordinateTask")]
    assert kinds == [("mtp", "default_value", "0.0"), ("knee", "manual_value", "0.25")]
    assert [(t.get("name"), t.findtext("weight")) for t in tasks.iter("IKMarkerTask")] == [("R.ASIS", "10.0")]


def test_a_set_up_names_no_folder(tmp_path: Path) -> None:
    setup = setups.id_setup(
        model_file="model.osim",
        coordinates_file="coordinates.sto",
        loads_file="loads.xml",
        lowpass_hz=None,
        time_range_s=(0.1, 0.30000000000000004),
        output_file="id.sto",
    )
    setups.write_setup(tmp_path / "id.xml", setup)
    text = (tmp_path / "id.xml").read_text()
    assert "/" not in "".join(text_of.text or "" for text_of in ElementTree.fromstring(text).iter()).replace("\n", "")
    assert "0.30000000000000004" in text, "times keep every digit"
    assert "<lowpass_cutoff_frequency_for_coordinates>-1.0<" in text


@pytest.mark.parametrize("axes", ["", "XW"])
def test_a_measurement_scales_along_x_y_or_z(axes: str) -> None:
    with pytest.raises(ValueError, match="must be among 'XYZ'"):
        Measurement(name="thigh", pairs=(("a", "b"),), scales=(("femur_r", axes),))
