"""C3D files made from nothing, so that tests know every byte of them (C3D File Format User Guide)."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Value = str | list[str] | np.ndarray
Groups = Mapping[str, Mapping[str, Value | None]]


def integers(*values: int) -> np.ndarray:
    return np.array(values, dtype="<i2")


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype="<f4")


@dataclass(frozen=True, kw_only=True)
class C3DFile:
    """One Intel file. points (T, P, 4) as stored, the fourth being residual and cameras; analog (S, C).

    `parameters` replaces or adds parameters by group and name; None takes one out. `header` replaces header
    fields.
    """

    points: np.ndarray
    analog: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    rate_hz: float = 100.0
    first_frame: int = 1
    scale: float = -1.0
    parameters: Groups = field(default_factory=dict)
    header: Mapping[str, float] = field(default_factory=dict)

    def bytes(self) -> bytes:
        section = self._parameter_section()
        frames, points = self.points.shape[:2]
        per_frame = len(self.analog) // frames if self.analog.size else 1
        fields = {
            "points": points,
            "analog": per_frame * self.analog.shape[1],
            "first": min(self.first_frame, 65535),
            "last": min(self.first_frame + frames - 1, 65535),
            "scale": self.scale,
            "data_block": 2 + len(section) // 512,
            "per_frame": per_frame,
            "rate": self.rate_hz,
            **self.header,
        }
        names = ("points", "analog", "first", "last")
        head = struct.pack(
            "<BB5Hf2Hf", 2, 0x50, *(int(fields[n]) for n in names), 0, fields["scale"],
            int(fields["data_block"]), int(fields["per_frame"]), fields["rate"],
        )  # fmt: skip
        stored = np.hstack([self.points.reshape(frames, -1), self.analog.reshape(frames, -1)])
        data = stored.astype("<f4" if self.scale < 0 else "<i2").tobytes()
        return head.ljust(512, b"\0") + section + data + b"\0" * (-len(data) % 512)

    def write(self, path: Path) -> Path:
        path.write_bytes(self.bytes())
        return path

    def _parameter_section(self) -> bytes:
        records = b""
        for number, (group, values) in enumerate(self._groups().items(), start=1):
            records += struct.pack("bb", len(group), -number) + group.encode() + struct.pack("<hB", 3, 0)
            for name, value in values.items():
                if value is not None:
                    content = _encoded(value)
                    records += struct.pack("bb", len(name), number) + name.encode()
                    records += struct.pack("<h", 2 + len(content)) + content
        section = b"\1\x50\0\x54" + records + b"\0\0"
        section += b"\0" * (-len(section) % 512)
        return section[:2] + bytes([len(section) // 512]) + section[3:]

    def _groups(self) -> dict[str, dict[str, Value | None]]:
        frames, points = self.points.shape[:2]
        channels = self.analog.shape[1]
        groups: dict[str, dict[str, Value | None]] = {
            "POINT": {
                "USED": integers(points),
                "FRAMES": integers(frames if frames < 32768 else -1),
                "SCALE": numbers(self.scale),
                "RATE": numbers(self.rate_hz),
                "UNITS": "mm",
                "LABELS": [f"M{i + 1}" for i in range(points)],
            },
            "ANALOG": {
                "USED": integers(channels),
                "RATE": numbers(self.rate_hz * (len(self.analog) / frames if channels else 1)),
                "GEN_SCALE": numbers(1.0),
                "SCALE": np.ones(channels, dtype="<f4"),
                "OFFSET": np.zeros(channels, dtype="<i2"),
                "LABELS": [f"A{i + 1}" for i in range(channels)],
                "UNITS": ["V"] * channels,
            },
        }
        for group, values in self.parameters.items():
            groups.setdefault(group, {}).update(values)
        return groups


def _encoded(value: Value) -> bytes:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        width = max((len(text.encode()) for text in value), default=0)
        raw = b"".join(text.encode().ljust(width) for text in value)
        return struct.pack("bBBB", -1, 2, width, len(value)) + raw + b"\0"
    shape = value.shape
    code = {2: 2, 4: 4}[value.itemsize]
    return struct.pack("bB", code, len(shape)) + bytes(shape) + value.tobytes(order="F") + b"\0"


def still_points(frames: int = 10, points: int = 2) -> np.ndarray:
    """Points that stand still at (100, 200, 300), (101, 201, 301), ... and were seen, (T, P, 4)."""
    stored = np.zeros((frames, points, 4))
    stored[..., :3] = np.arange(points)[:, None] + [100.0, 200.0, 300.0]
    return stored


def merged(*groups: Groups) -> dict[str, dict[str, Any]]:
    together: dict[str, dict[str, Any]] = {}
    for group in groups:
        for name, values in group.items():
            together.setdefault(name, {}).update(values)
    return together
