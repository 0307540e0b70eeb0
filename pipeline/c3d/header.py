"""The first 512 bytes of a C3D file, and whether the bytes it promises are there.

Layout: The C3D File Format User Guide (Motion Lab Systems, c3d.org). "Words" below are that guide's 16-bit
words, counted from 1.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.errors import TrialRejected

ByteOrder = Literal["intel", "dec", "mips"]

BLOCK_BYTES = 512
_C3D_KEY = 0x50
# Their number is stored in one byte.
_MOST_BLOCKS = 255
_PROCESSORS: dict[int, ByteOrder] = {84: "intel", 85: "dec", 86: "mips"}
# Bytes of one element by the type code of a parameter; 255 is -1, text.
_ELEMENT_BYTES = {255: 1, 1: 1, 2: 2, 4: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where things are in the file and how a frame is stored.

    `events` are labels and times (s, frame 1 at 0) as files had them before the EVENT group existed.

    `first_frame` and `last_frame` are 16-bit and saturate in long recordings. `scale` is the point unit of
    one integer step; negative means that points and analog samples are stored as 4-byte floats.
    """

    byte_order: ByteOrder
    parameter_start: int
    parameter_end: int
    data_start: int
    point_count: int
    analog_values_per_frame: int
    analog_samples_per_frame: int
    first_frame: int
    last_frame: int
    scale: float
    rate_hz: float
    events: tuple[tuple[str, float], ...] = ()

    @property
    def stores_floats(self) -> bool:
        """Whether a number takes four bytes (float) or two (integer)."""
        return self.scale < 0

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame: four numbers a point, then the frame's analog samples."""
        return (4 if self.stores_floats else 2) * (4 * self.point_count + self.analog_values_per_frame)

    @property
    def frame_count(self) -> int:
        """Frames promised by the header alone."""
        return self.last_frame - self.first_frame + 1


def rejected(name: str, reason: str) -> TrialRejected:
    """The rejection of one file by this step of the chain."""
    return TrialRejected("read_c3d", f"{name}: {reason}")


def floats(raw: bytes, byte_order: ByteOrder) -> np.ndarray:
    """Consecutive 4-byte floats in the file's own format, as numpy float32.

    A DEC (VAX F) float is an IEEE float with its 16-bit halves exchanged and an exponent two larger.
    """
    if byte_order != "dec":
        return np.frombuffer(raw, ">f4" if byte_order == "mips" else "<f4")
    halves = np.frombuffer(raw, "<u2").reshape(-1, 2)
    return halves[:, ::-1].copy().view("<f4").ravel() / np.float32(4)


def parse_header(data: bytes, name: str) -> Header:
    """Read the header of the file `name` from its bytes.

    Raises TrialRejected if it is not a C3D file, or too short or damaged to say where its data are.
    """
    if len(data) < 2 * BLOCK_BYTES:
        raise rejected(
            name,
            f"the file has {len(data)} bytes, and a C3D file has at least {2 * BLOCK_BYTES} "
            "(header and parameters). It is empty or was cut off: copy it again.",
        )
    if data[1] != _C3D_KEY or data[0] == 0:
        raise rejected(
            name,
            f"this is not a C3D file: its second byte is 0x{data[1]:02x}, expected 0x50. "
            "Export the trial as C3D again.",
        )
    parameter_start = (data[0] - 1) * BLOCK_BYTES
    if parameter_start < BLOCK_BYTES or parameter_start + 4 > len(data):
        raise rejected(
            name,
            f"its parameters should begin at byte {parameter_start}, and the file has {len(data)} bytes. "
            "It was cut off or damaged: copy it again.",
        )
    processor = data[parameter_start + 3]
    if processor not in _PROCESSORS:
        raise rejected(
            name,
            f"unknown processor type {processor} (expected 84 Intel, 85 DEC or 86 MIPS). "
            "The file is damaged: copy or export it again.",
        )
    header = _unpack(data, parameter_start, _PROCESSORS[processor])
    _check(header, name)
    return header


def _unpack(data: bytes, parameter_start: int, byte_order: ByteOrder) -> Header:
    words = struct.unpack((">" if byte_order == "mips" else "<") + "5H", data[2:12])
    data_block, samples_per_frame = struct.unpack((">" if byte_order == "mips" else "<") + "2H", data[16:20])
    return Header(
        byte_order=byte_order,
        parameter_start=parameter_start,
        parameter_end=parameter_start + BLOCK_BYTES * data[parameter_start + 2],
        data_start=(data_block - 1) * BLOCK_BYTES,
        point_count=words[0],
        analog_values_per_frame=words[1],
        analog_samples_per_frame=samples_per_frame,
        first_frame=words[2],
        last_frame=words[3],
        scale=float(floats(data[12:16], byte_order)[0]),
        rate_hz=float(floats(data[20:24], byte_order)[0]),
        events=_events(data, byte_order),
    )


def _events(data: bytes, byte_order: ByteOrder) -> tuple[tuple[str, float], ...]:
    # Words 151 (count), 153-188 (times) and 199-234 (labels of four characters): at most 18 events.
    (count,) = struct.unpack(">H" if byte_order == "mips" else "<H", data[300:302])
    times_s = floats(data[304:376], byte_order)
    labels = [data[396 + 4 * i : 400 + 4 * i].decode("latin-1").strip(" \0") for i in range(min(count, 18))]
    return tuple((label, float(time_s)) for label, time_s in zip(labels, times_s, strict=False) if np.isfinite(time_s))


def _check(header: Header, name: str) -> None:
    if not (np.isfinite(header.rate_hz) and header.rate_hz > 0):
        raise rejected(name, f"its header states a frame rate of {header.rate_hz} Hz. Export the trial again.")
    if not np.isfinite(header.scale) or header.scale == 0:
        raise rejected(name, f"its header states a point scale of {header.scale}. Export the trial again.")
    if header.frame_bytes == 0:
        raise rejected(name, "it holds no points and no analog channels. Export the trial again.")
    # Some writers leave the count of parameter blocks at 0, so only the fixed four bytes are sure to be
    # there.
    if header.data_start < header.parameter_start + 4:
        raise rejected(
            name,
            f"its data should begin at byte {header.data_start}, before the end of its parameters. "
            "The file is damaged: copy or export it again.",
        )


def check_size(data: bytes, header: Header, frame_count: int, name: str) -> None:
    """Raise TrialRejected unless `frame_count` frames, and the padding of the last block, are all that the file holds.

    A file that is too long was changed on its way: with a block inserted, every number of every frame is another one.
    """
    available = len(data) - header.data_start
    left = available - frame_count * header.frame_bytes
    if left < 0:
        raise rejected(
            name,
            f"the file is truncated: it has {len(data)} bytes, and {frame_count} frames need {len(data) - left} "
            f"({max(0, available) // header.frame_bytes} whole frames are there). Copy it again from the recording "
            "computer.",
        )
    if left >= BLOCK_BYTES and any(data[len(data) - left :]):
        raise rejected(
            name,
            f"{left} bytes follow its {frame_count} frames, expected less than a block of {BLOCK_BYTES}: its size does "
            "not fit what it states. Something was put in, or frames are not counted: copy or export it again.",
        )


def parameter_section(data: bytes, header: Header, name: str) -> bytes:
    """The parameter section without descriptions, every record whole: what a library can read without a fault.

    Raises TrialRejected where the chain of records is broken. Libraries follow its lengths without checking them all:
    past a broken one, py-c3d can lose parameters without a word. A record that holds nothing is left out, and nothing
    else is read from it; both py-c3d and ezc3d give the whole file up there.
    """
    records = b""
    for record in _walk_records(data, header):
        if record.fault:
            raise rejected(
                name,
                f"its parameter section is broken at byte {record.position} ({record.fault}): what follows there "
                "can't be read. Export the trial again from the recording software.",
            )
        head, content = data[record.position : record.body - 2], data[record.body : record.content_end]
        if content or record.is_group:
            records += head + struct.pack(_short(header), 2 + len(content) + 1) + content + b"\0"
    section = data[header.parameter_start : header.parameter_start + 4] + records + b"\0\0"
    blocks = -(-len(section) // BLOCK_BYTES)
    if blocks > _MOST_BLOCKS:
        raise rejected(
            name,
            f"its parameters take {blocks} blocks, and a C3D file has {_MOST_BLOCKS} at most. The file is damaged: "
            "copy or export it again.",
        )
    return (section[:2] + bytes([blocks]) + section[3:]).ljust(blocks * BLOCK_BYTES, b"\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """A group or parameter: where its record and body begin, where its content ends, and what is wrong with it."""

    position: int
    body: int
    content_end: int
    is_group: bool
    fault: str = ""


def _short(header: Header) -> str:
    return ">h" if header.byte_order == "mips" else "<h"


def _walk_records(data: bytes, header: Header) -> Iterator[_Record]:
    position = header.parameter_start + 4
    end = min(len(data), header.data_start)
    while position + 2 <= end:
        name_length, group = struct.unpack("bb", data[position : position + 2])
        if name_length == 0 or group == 0:
            return
        body = position + 2 + abs(name_length) + 2
        if body >= end:
            yield _broken(position, "a record runs into the data section")
            return
        (step,) = struct.unpack(_short(header), data[body - 2 : body])
        following = body - 2 + step
        if step == 0 or following > end:
            yield _last_record(data, position, body, end)
            return
        yield _record(data, position, body, following)
        position = following


def _broken(position: int, fault: str) -> _Record:
    return _Record(position=position, body=position, content_end=position, is_group=False, fault=fault)


def _last_record(data: bytes, position: int, body: int, end: int) -> _Record:
    # The length of the very last record isn't needed and is wrong in some files (c3d.org's sgi_real among
    # them). It is the last one only if nothing but padding follows.
    record = _record(data, position, body, end)
    if record.fault:
        return record
    description_end = record.content_end + 1 + data[record.content_end] if record.content_end < end else end
    return _broken(position, "its length points past the section") if any(data[description_end:end]) else record


def _record(data: bytes, position: int, body: int, following: int) -> _Record:
    name = data[position + 2 : body - 2].decode("latin-1")
    if any(ord(character) < ord(" ") for character in name):
        return _broken(position, f"the name {name!r} isn't text")
    if following < body:
        return _broken(position, f"{name} is followed by itself")
    is_group = data[position + 1] > 127  # a negative number: it holds only a description
    if is_group or following == body:
        return _Record(position=position, body=body, content_end=body, is_group=is_group)
    if data[body] not in _ELEMENT_BYTES:
        return _broken(position, f"{name} has element type {data[body]}")
    if body + 2 > following or _content_end(data, body) > following:
        return _broken(position, f"{name} is larger than its record")
    return _Record(position=position, body=body, content_end=_content_end(data, body), is_group=False)


def _content_end(data: bytes, body: int) -> int:
    """Where a parameter's values end: after element type, number of dimensions, dimensions and elements."""
    dimensions = data[body + 2 : body + 2 + data[body + 1]]
    return body + 2 + len(dimensions) + math.prod(dimensions) * _ELEMENT_BYTES[data[body]]
