"""C3D files, byte by byte (C3D File Format User Guide, Motion Lab Systems).

Both libraries that read C3D can write it too, but neither serves here: ezc3d 1.7 writes every ANALOG:OFFSET as 0 and
can't share a process with OpenSim; py-c3d 0.6 fails on a frame with as many markers as analog channels, and makes
the header itself, while tests of our reader need wrong ones.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.c3d.header import BLOCK_BYTES

StoredValue = str | list[str] | np.ndarray
Groups = Mapping[str, Mapping[str, StoredValue | None]]

INTEL = 84
# A parameter's dimensions are stored in one byte each.
LONGEST_DIMENSION = 255


def int16s(*values: int) -> np.ndarray:
    """16-bit whole numbers as a parameter holds them."""
    return np.array(values, dtype="<i2")


def float32s(*values: float) -> np.ndarray:
    """4-byte floats as a parameter holds them."""
    return np.array(values, dtype="<f4")


@dataclass(frozen=True, kw_only=True)
class C3DFile:
    """One Intel file. points (T, P, 4) and analog (S, C) as stored, a point's fourth number negative where not seen.

    A negative `scale` stores 4-byte floats, a positive one 16-bit integers. `parameters` adds or replaces parameters by
    group and name; None removes one. `header` replaces header fields.
    """

    points: np.ndarray
    analog: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    rate_hz: float = 100.0
    first_frame: int = 1
    scale: float = -1.0
    parameters: Groups = field(default_factory=dict)
    header: Mapping[str, float] = field(default_factory=dict)

    def content(self) -> bytes:
        """The whole file. ValueError for a parameter that is too large for the format."""
        blocks = len(self._parameter_section(data_block=0)) // BLOCK_BYTES
        data_block = 2 + blocks
        return self._header(data_block) + self._parameter_section(data_block) + self._data()

    def write(self, path: Path) -> Path:
        """Write the file and return its path."""
        path.write_bytes(self.content())
        return path

    def _header(self, data_block: int) -> bytes:
        frames, points = self.points.shape[:2]
        per_frame = len(self.analog) // frames if self.analog.size else 1
        fields = {
            "points": points,
            "analog": per_frame * self.analog.shape[1],
            "first": min(self.first_frame, 65535),
            "last": min(self.first_frame + frames - 1, 65535),
            "scale": self.scale,
            "data_block": data_block,
            "per_frame": per_frame,
            "rate": self.rate_hz,
            **self.header,
        }
        counts = (int(fields[name]) for name in ("points", "analog", "first", "last"))
        storage = int(fields["data_block"]), int(fields["per_frame"])
        head = struct.pack("<BB5Hf2Hf", 2, 0x50, *counts, 0, fields["scale"], *storage, fields["rate"])
        return head.ljust(BLOCK_BYTES, b"\0")

    def _data(self) -> bytes:
        frames = len(self.points)
        stored = np.hstack([self.points.reshape(frames, -1), self.analog.reshape(frames, -1)])
        return _whole_blocks(stored.astype("<f4" if self.scale < 0 else "<i2").tobytes())

    def _parameter_section(self, data_block: int) -> bytes:
        records = b""
        for number, (group, values) in enumerate(self._groups(data_block).items(), start=1):
            records += struct.pack("bb", len(group), -number) + group.encode() + struct.pack("<hB", 3, 0)
            for name, value in values.items():
                if value is not None:
                    content = _encoded(f"{group}:{name}", value)
                    records += struct.pack("bb", len(name), number) + name.encode()
                    records += struct.pack("<h", 2 + len(content)) + content
        section = _whole_blocks(b"\1\x50\0" + bytes([INTEL]) + records + b"\0\0")
        blocks = len(section) // BLOCK_BYTES
        if blocks > LONGEST_DIMENSION:
            raise ValueError(f"the parameters need {blocks} blocks, and a C3D file has {LONGEST_DIMENSION} at most.")
        return section[:2] + bytes([blocks]) + section[3:]

    def _groups(self, data_block: int) -> dict[str, dict[str, StoredValue | None]]:
        frames, points = self.points.shape[:2]
        channels = self.analog.shape[1]
        groups: dict[str, dict[str, StoredValue | None]] = {
            "POINT": {
                "USED": int16s(points),
                "FRAMES": int16s(frames if frames < 32768 else -1),
                "SCALE": float32s(self.scale),
                "RATE": float32s(self.rate_hz),
                "DATA_START": int16s(data_block),
                "UNITS": "mm",
                "LABELS": [f"M{i + 1}" for i in range(points)],
            },
            "ANALOG": {
                "USED": int16s(channels),
                "RATE": float32s(self.rate_hz * (len(self.analog) / frames if channels else 1)),
                "GEN_SCALE": float32s(1.0),
                "SCALE": np.ones(channels, dtype="<f4"),
                "OFFSET": np.zeros(channels, dtype="<i2"),
                "LABELS": [f"A{i + 1}" for i in range(channels)],
                "UNITS": ["V"] * channels,
            },
        }
        for group, values in self.parameters.items():
            groups.setdefault(group, {}).update(values)
        return groups


def _encoded(key: str, value: StoredValue) -> bytes:
    """Element type, dimensions, elements (first index fastest) and an empty description."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        texts = [text.encode() for text in value]
        width = max((len(text) for text in texts), default=0)
        return _dimensioned(key, -1, (width, len(texts)), b"".join(text.ljust(width) for text in texts))
    return _dimensioned(key, {2: 2, 4: 4}[value.itemsize], value.shape, value.tobytes(order="F"))


def _dimensioned(key: str, code: int, shape: tuple[int, ...], elements: bytes) -> bytes:
    if max(shape, default=0) > LONGEST_DIMENSION:
        raise ValueError(f"{key} has the dimensions {shape}, and a C3D file stores {LONGEST_DIMENSION} at most.")
    return struct.pack("bB", code, len(shape)) + bytes(shape) + elements + b"\0"


def _whole_blocks(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % BLOCK_BYTES)
