import struct

import numpy as np
import pytest

from pipeline.c3d.header import floats, parameter_section, parse_header
from pipeline.errors import TrialRejected
from tests.pipeline.c3d_builder import C3DFile, still_points


def test_dec_floats_have_their_published_bytes() -> None:
    # VAX Architecture Reference Manual: F_floating 1.0 is 0x4080, -1.5 is 0xC0C0, 0.1 is 0xCCCD3ECC (words
    # exchanged).
    raw = bytes.fromhex("80400000c0c00000cc3ecdcc00000000")
    np.testing.assert_array_equal(floats(raw, "dec"), np.float32([1.0, -1.5, 0.1, 0.0]))


def test_float_byte_orders_agree() -> None:
    values = np.float32([1.0, -273.15, 1e-6, 12345.678])
    np.testing.assert_array_equal(floats(values.astype("<f4").tobytes(), "intel"), values)
    np.testing.assert_array_equal(floats(values.astype(">f4").tobytes(), "mips"), values)


def test_the_header_says_how_long_a_frame_is() -> None:
    file = C3DFile(points=still_points(10, 3), analog=np.zeros((50, 4)))
    header = parse_header(file.content(), "walk.c3d")
    assert header.frame_bytes == 4 * (3 * 4 + 5 * 4)
    assert (header.frame_count, header.rate_hz, header.byte_order) == (10, 100.0, "intel")


@pytest.mark.parametrize(
    ("position", "byte", "said"),
    [
        (1, 0x51, "not a C3D file"),
        (0, 0, "not a C3D file"),
        (0, 200, "the file has"),
        (512 + 3, 83, "processor type 83"),
        (16, 1, "before the end of its parameters"),
    ],
)
def test_a_foreign_or_damaged_header_is_refused_by_name(position: int, byte: int, said: str) -> None:
    data = bytearray(C3DFile(points=still_points()).content())
    data[position] = byte
    with pytest.raises(TrialRejected, match=f"walk.c3d: .*{said}"):
        parse_header(bytes(data), "walk.c3d")


@pytest.mark.parametrize("rate_hz", [0.0, -100.0, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(rate_hz: float) -> None:
    data = bytearray(C3DFile(points=still_points()).content())
    data[20:24] = struct.pack("<f", rate_hz)
    with pytest.raises(TrialRejected, match="frame rate"):
        parse_header(bytes(data), "walk.c3d")


@pytest.mark.parametrize("size", [0, 1, 511, 1023])
def test_an_empty_or_tiny_file_is_refused(size: int) -> None:
    with pytest.raises(TrialRejected, match=f"the file has {size} bytes"):
        parse_header(C3DFile(points=still_points()).content()[:size], "walk.c3d")


def test_a_broken_parameter_chain_is_found_where_it_breaks() -> None:
    data = bytearray(C3DFile(points=still_points()).content())
    position = data.index(b"LABELS") - 2
    data[position + 8 : position + 10] = struct.pack("<h", -3)
    header = parse_header(bytes(data), "walk.c3d")
    with pytest.raises(TrialRejected, match=f"broken at byte {position} "):
        parameter_section(bytes(data), header, "walk.c3d")


def test_a_wrong_length_of_the_last_record_is_harmless() -> None:
    data = bytearray(C3DFile(points=still_points()).content())
    position = data.rindex(b"UNITS")
    data[position + 5 : position + 7] = struct.pack("<h", 20000)
    assert b"UNITS" in parameter_section(bytes(data), parse_header(bytes(data), "walk.c3d"), "walk.c3d")


def test_a_length_that_skips_parameters_is_found() -> None:
    data = bytearray(C3DFile(points=still_points()).content())
    position = data.index(b"SCALE")
    data[position + 5 : position + 7] = struct.pack("<h", 20000)
    with pytest.raises(TrialRejected, match="its length points past the section"):
        parameter_section(bytes(data), parse_header(bytes(data), "walk.c3d"), "walk.c3d")
