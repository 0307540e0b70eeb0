"""The parameters of a C3D file as one table: read by py-c3d or, where that fails, by ezc3d."""

import io
import json
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import c3d
import numpy as np

from pipeline.c3d.header import ByteOrder, Header, check_complete, check_parameter_section, floats, rejected

Reader = Literal["c3d", "ezc3d"]
ParameterValue = np.ndarray | tuple[str, ...]

EZC3D_PROGRAM = Path(__file__).with_name("ezc3d_parameters.py")
EZC3D_TIMEOUT_S = 30.0
_PADDING = " \t\r\n\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """GROUP:NAME (capitals) to its value.

    Numbers are arrays in the file's dimensions, first index fastest (so `CORNERS` is (3, 4, plates)); a
    scalar has shape (1,). Texts are tuples, padding removed. `reader` is the library that read them, and
    `note` says why it was not the first choice ("" if it was).
    """

    values: Mapping[str, ParameterValue]
    reader: Reader
    note: str = ""

    def numbers(self, key: str) -> np.ndarray:
        """The numbers of `key` and its continuations (`SCALE`, `SCALE2`, ...); empty if absent."""
        arrays = [v for v in self._continued(key) if isinstance(v, np.ndarray)]
        if len(arrays) == 1:
            return arrays[0]
        return np.concatenate([v.ravel() for v in arrays]) if arrays else np.empty(0)

    def number(self, key: str) -> float | None:
        """The first number of `key`; None if the file lacks it or it isn't finite."""
        values = self.numbers(key).ravel()
        return float(values[0]) if values.size and np.isfinite(values[0]) else None

    def count(self, key: str) -> int | None:
        """The first number of `key` as an unsigned 16-bit count, which the format stores as signed."""
        value = self.number(key)
        if value is None:
            return None
        return round(value) + 0x10000 if -0x8000 <= value < 0 else round(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of `key` and its continuations (`LABELS`, `LABELS2`, ...); empty if absent."""
        return tuple(text for v in self._continued(key) if isinstance(v, tuple) for text in v)

    def text(self, key: str) -> str:
        """The first text of `key`; "" if absent."""
        return next(iter(self.texts(key)), "")

    def _continued(self, key: str) -> list[ParameterValue]:
        # One parameter holds at most 255 elements; the rest of a long list is in NAME2, NAME3, ...
        values = []
        name, number = key, 1
        while name in self.values:
            values.append(self.values[name])
            number += 1
            name = f"{key}{number}"
        return values


def read_parameters(path: Path, data: bytes, header: Header) -> Parameters:
    """Read the parameter section of `path`, whose content is `data`.

    Raises TrialRejected where the section is broken or, with what both libraries said, if neither can read
    it.
    """
    check_parameter_section(data, header, path.name)
    try:
        return Parameters(values=_with_c3d(data, header.byte_order), reader="c3d")
    except Exception as error:  # a parser on foreign bytes raises anything from struct.error to MemoryError
        first_complaint = f"{type(error).__name__}: {error}"
    # ezc3d reads the frames too, and doesn't check that they are there.
    check_complete(data, header, header.frame_count, path.name)
    try:
        values = _with_ezc3d(path)
    except Exception as error:
        raise rejected(
            path.name,
            f"neither py-c3d ({first_complaint}) nor ezc3d ({error}) could read its parameters. "
            "Export the trial again from the recording software.",
        ) from error
    return Parameters(values=values, reader="ezc3d", note=f"read with ezc3d, since py-c3d said: {first_complaint}")


def _with_c3d(data: bytes, byte_order: ByteOrder) -> dict[str, ParameterValue]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about every optional parameter that a file lacks
        reader = c3d.Reader(io.BytesIO(data))
    return {
        f"{group_name}:{name}".upper(): _value(parameter, byte_order)
        for group_name, group in reader.group_items()
        for name, parameter in group.param_items()
    }


def _value(parameter: c3d.c3d.Param, byte_order: ByteOrder) -> ParameterValue:
    dimensions = tuple(parameter.dimensions) or (1,)
    if parameter.bytes_per_element == -1:
        return _texts(parameter.bytes, dimensions)
    if parameter.bytes_per_element == 4:
        flat = floats(parameter.bytes, byte_order)
    else:
        end = ">" if byte_order == "mips" else "<"
        flat = np.frombuffer(parameter.bytes, {1: "i1", 2: f"{end}i2"}[parameter.bytes_per_element])
    return flat.astype(float).reshape(dimensions, order="F")


def _texts(raw: bytes, dimensions: tuple[int, ...]) -> tuple[str, ...]:
    # The first dimension is the length of every text; a single text has no other.
    length, count = dimensions[0], int(np.prod(dimensions[1:]))
    return tuple(_decoded(raw[i * length : (i + 1) * length]) for i in range(count) if length)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8").strip(_PADDING)
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip(_PADDING)


def _with_ezc3d(path: Path) -> dict[str, ParameterValue]:
    """The parameters by ezc3d, in a process of its own: on damaged values it can crash or never return."""
    result = subprocess.run(
        [sys.executable, str(EZC3D_PROGRAM), str(path)],
        capture_output=True,
        timeout=EZC3D_TIMEOUT_S,
        check=False,
    )
    if result.returncode != 0:
        said = result.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(said[-1] if said else f"it crashed with exit status {result.returncode}")
    return {key: _from_json(value) for key, value in json.loads(result.stdout).items()}


def _from_json(value: dict[str, list[Any]]) -> ParameterValue:
    if "texts" in value:
        return tuple(_decoded(text.encode("utf-8", "surrogateescape")) for text in value["texts"])
    return np.array(value["numbers"], dtype=float).reshape(value["shape"])
