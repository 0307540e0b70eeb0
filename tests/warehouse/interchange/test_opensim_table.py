import numpy as np
import pytest

from warehouse.interchange.opensim_table import format_table, parse_motion, parse_table

HEAD = "Coordinates\nversion=1\nnRows=3\nnColumns=3\ninDegrees={}\n\nendheader\n"
BODY = "time\thip_flexion_r\tpelvis_tx\n0.0\t{0}\t1.0\n0.5\t0.0\t1.5\n1.0\t{0}\t2.0\n"


def test_degrees_are_what_the_header_says() -> None:
    in_degrees = parse_motion("a.mot", HEAD.format("yes") + BODY.format(90.0))
    in_radians = parse_motion("b.mot", HEAD.format("no") + BODY.format(np.pi / 2))

    np.testing.assert_allclose(in_degrees.degrees(["hip_flexion_r"])[:, 0], [90, 0, 90])
    np.testing.assert_allclose(in_radians.degrees(["hip_flexion_r"])[:, 0], [90, 0, 90])
    np.testing.assert_allclose(in_degrees.time_s, [0, 0.5, 1])


def test_rotations_of_a_header_that_says_nothing_are_refused() -> None:
    table = parse_motion("c.mot", "x\nendheader\n" + BODY.format(1.0))

    with pytest.raises(ValueError, match=r"c\.mot: its header has no inDegrees"):
        table.degrees(["hip_flexion_r"])
    np.testing.assert_allclose(table.numbers(["pelvis_tx"])[:, 0], [1, 1.5, 2])


def test_columns_named_by_their_place_in_the_model_keep_their_own_name() -> None:
    body = (
        BODY.format(1.0)
        .replace("hip_flexion_r", "/jointset/hip_r/hip_flexion_r/value")
        .replace("pelvis_tx", "/forceset/psoas_r")
    )

    assert parse_motion("d.sto", HEAD.format("yes") + body).columns == ("hip_flexion_r", "psoas_r")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time\ta\n0\t1\n", "no 'endheader' line"),
        ("endheader\n", r"begin with \[\], expected 'time'"),
        ("endheader\nframe\ta\n0\t1\n1\t2\n", r"begin with \['frame'\]"),
        ("endheader\ntime\ta\n0\t1\n1\n", r"row 1 has 1 numbers, expected 2"),
        ("endheader\ntime\ta\n0\tone\n1\t2\n", "expected numbers"),
        ("endheader\ntime\ta\n0\t1\n", "1 rows, expected a motion"),
        ("endheader\ntime\ta\n0\t1\n0\t2\n", "time does not increase at row 1"),
        ("inDegrees=maybe\nendheader\ntime\ta\n0\t1\n1\t2\n", "inDegrees=maybe, expected yes or no"),
    ],
)
def test_what_is_no_table_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"walk\.mot: .*{message}"):
        parse_motion("walk.mot", text)


def test_any_table_keeps_its_names_and_may_have_no_rows() -> None:
    table = parse_table("id.sto", "endheader\ntime\t/forceset/psoas_r\n")

    assert (table.columns, table.values.shape, table.in_degrees) == (("/forceset/psoas_r",), (0, 1), None)


def test_written_and_read_is_the_same() -> None:
    time_s = np.linspace(0, 1.1, 50)
    values = np.column_stack([np.sin(time_s) * 40, np.cos(time_s) * 1e-5]).astype(np.float32)

    found = parse_motion("x.mot", format_table("x.mot", ["hip_flexion_r", "pelvis_tilt"], time_s, values))

    assert found.in_degrees
    assert found.columns == ("hip_flexion_r", "pelvis_tilt")
    np.testing.assert_array_equal(found.values.astype(np.float32), values)


def test_unknown_values_are_not_written() -> None:
    with pytest.raises(ValueError, match="not known"):
        format_table("x.mot", ["a"], np.arange(2.0), np.array([[1.0], [np.nan]]))
