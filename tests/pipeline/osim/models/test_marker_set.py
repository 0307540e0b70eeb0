import pytest

from pipeline.errors import TrialRejected
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.models.marker_set import read_marker_set

pytestmark = pytest.mark.osim


@pytest.mark.data
def test_markers_are_on_the_bodies_that_the_file_says(shared_data) -> None:
    markers = read_marker_set(shared_data / "opensim_reference" / "rajagopal2016" / "Rajagopal2016.osim")
    by_name = {marker.name: marker for marker in markers}
    assert len(by_name) == 66
    assert by_name["RASI"].body == "pelvis"
    assert by_name["LTOE"].body.endswith("_l")


def test_a_model_without_markers_is_refused() -> None:
    with pytest.raises(TrialRejected, match="has no markers"):
        read_marker_set(model_file_of(None))
