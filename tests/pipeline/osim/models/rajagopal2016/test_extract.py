"""The tables are what the released file says, and what they can't hold is refused."""

import xml.etree.ElementTree as ET

import pytest

from pipeline.osim.models.rajagopal2016.extract import main
from pipeline.osim.models.rajagopal2016.tables import EXCEPTIONS, TABLES, TABLES_FOLDER

pytestmark = pytest.mark.data


@pytest.fixture
def released(shared_data):
    return shared_data / "opensim_reference" / "rajagopal2016" / "Rajagopal2016.osim"


@pytest.fixture
def edited(released, tmp_path):
    """Write the released file with one place changed; gives the file."""

    def write(path: str, *, tag: str | None = None, text: str | None = None):
        tree = ET.parse(released)
        element = tree.find(path)
        assert element is not None
        element.tag = tag or element.tag
        element.text = text or element.text
        tree.write(tmp_path / "edited.osim")
        return tmp_path / "edited.osim"

    return write


def test_the_tables_are_those_of_the_released_file(released, tmp_path):
    main([str(released), str(tmp_path)])
    for name in (*TABLES, EXCEPTIONS):
        assert (tmp_path / f"{name}.csv").read_bytes() == (TABLES_FOLDER / f"{name}.csv").read_bytes(), name


def test_a_left_figure_of_its_own_becomes_an_exception(edited, tmp_path):
    file = edited(".//Body[@name='tibia_l']/mass", text="3.8")
    main([str(file), str(tmp_path)])
    assert "bodies,tibia_l,mass_kg,3.8,3.7075\n" in (tmp_path / f"{EXCEPTIONS}.csv").read_text("utf-8")
    assert (tmp_path / "bodies.csv").read_bytes() == (TABLES_FOLDER / "bodies.csv").read_bytes()


@pytest.mark.parametrize(
    ("path", "change", "complaint"),
    [
        (".//PathPoint[@name='glmed1_r-P2']", {"tag": "MovingPathPoint"}, "glmed1_r: .* holds a MovingPathPoint"),
        (".//WrapCylinder[@name='PS_at_brim_r']", {"tag": "WrapEllipsoid"}, "pelvis: .* holds a WrapEllipsoid"),
        (".//PinJoint[@name='ankle_r']", {"tag": "WeldJoint"}, "JointSet holds WeldJoint"),
        (".//Millard2012EquilibriumMuscle[@name='soleus_l']/fiber_damping", {"text": "0.2"}, "soleus_l has other"),
        (
            ".//CoordinateCouplerConstraint/isEnforced",
            {"text": "false"},
            "isEnforced is 'false'; the tables mean 'true'",
        ),
        (".//Body[@name='tibia_l']", {"tag": "PointMass"}, "BodySet holds PointMass"),
        ("Model", {"tag": "Setup"}, "not an OpenSim 4 model"),
    ],
)
def test_what_the_tables_have_no_place_for_is_refused_by_name(edited, tmp_path, path, change, complaint):
    file = edited(path, **change)
    with pytest.raises(ValueError, match=complaint):
        main([str(file), str(tmp_path)])
    assert list(tmp_path.glob("*.csv")) == []
