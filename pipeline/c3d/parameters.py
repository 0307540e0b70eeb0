"""The parameters of a C3D file as one table, read by py-c3d from a section that was checked."""

import io
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import c3d
import numpy as np

from pipeline.c3d.header import BLOCK_BYTES, ByteOrder, Header, floats, parameter_section, rejected

ParameterValue = np.ndarray | tuple[str, ...]

_PADDING = " \t\r\n\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """GROUP:NAME (capitals) to its value.

    Numbers are arrays in the file's dimensions, first index fastest (so `CORNERS` is (3, 4, plates)); a
    scalar has shape (1,). Texts are tuples, padding removed.
    """

    values: Mapping[str, ParameterValue]

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


class _SectionReader(c3d.Reader):
    """py-c3d's reader without its comparison of header and parameters, which `frames.py` makes with tolerances."""

    def _check_metadata(self) -> None:
        pass


def read_parameters(data: bytes, header: Header, name: str) -> Parameters:
    """Read the parameter section of the file `name`, whose content is `data`.

    Raises TrialRejected where the section is broken or, with what py-c3d said, if it can't be read.
    """
    section = parameter_section(data, header, name)
    # The header's events are left out: py-c3d fails on a number of them that can't be.
    opening = (b"\2" + data[1:298]).ljust(BLOCK_BYTES, b"\0")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns about repeated names of groups
            reader = _SectionReader(io.BytesIO(opening + section))
        values = {
            f"{group_name}:{parameter_name}".upper(): _value(parameter, header.byte_order)
            for group_name, group in reader.group_items()
            for parameter_name, parameter in group.param_items()
        }
    # What py-c3d says of names and numbers that the format doesn't allow.
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError, IndexError, struct.error) as error:
        raise rejected(
            name,
            f"py-c3d can't read its parameters ({type(error).__name__}: {error}). Export the trial again from the "
            "recording software.",
        ) from error
    return Parameters(values=values)


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
