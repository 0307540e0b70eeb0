"""Untrusted NPZ files, read without executing anything in them.

An object array in an NPZ file is a pickle, and loading a pickle can run any code. Here numpy's own names resolve to
inert stand-ins that only keep their arguments; every other name is refused, so that nothing can run.
"""

import io
import math
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from warehouse.interchange.given_file import member_of, opened_zip

# A pickle can name one long text a thousand times, and an array of text has room for the longest in every place.
_MOST_CHARACTERS = 1000


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Every array of an NPZ file; object arrays of text are returned as arrays of text.

    ValueError names the file, and the array in it, if it is no NPZ file, is damaged, or holds anything but numbers
    and text.
    """
    with opened_zip(path, "NPZ") as archive:
        return {info.filename.removesuffix(".npy"): _read_member(path, archive, info) for info in archive.infolist()}


class _Noted:
    """Stands in for a numpy array or dtype in a pickle: it keeps its arguments and does nothing."""

    def __init__(self, *given: object) -> None:
        self.given = given
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


def _noted(*given: object) -> _Noted:
    return _Noted(*given)


def _text_scalar(dtype: object, raw: object) -> str:
    # numpy stores text as four bytes per character, in the writer's byte order.
    if not (isinstance(dtype, _Noted) and str(dtype.given[:1]).startswith("('U") and isinstance(raw, bytes)):
        raise pickle.UnpicklingError("it holds a value that is not text")
    big_endian = isinstance(dtype.state, tuple) and dtype.state[1:2] == (">",)
    return raw.decode("utf-32-be" if big_endian else "utf-32-le").rstrip("\0")


_STAND_INS: dict[tuple[str, str], object] = {("numpy", "ndarray"): _Noted, ("numpy", "dtype"): _Noted} | {
    (module, name): stand_in
    for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    for name, stand_in in (("_reconstruct", _noted), ("scalar", _text_scalar))
}


class _TextOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return _STAND_INS[module, name]

    def persistent_load(self, pid: object) -> object:
        raise pickle.UnpicklingError(f"it names something outside the file ({pid!r})")


def _read_member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    where = f"{path}, array {info.filename.removesuffix('.npy')!r}"
    if not info.filename.endswith(".npy"):
        raise ValueError(f"{path}: holds {info.filename!r}, expected only .npy arrays.")
    content = member_of(path, archive, info)
    stream = io.BytesIO(content)
    shape, dtype = _header(where, stream)
    if dtype.hasobject:
        return _text_array(where, stream, shape, dtype)
    expected = math.prod(shape) * dtype.itemsize
    if len(content) - stream.tell() != expected:
        raise ValueError(f"{where}: {len(content) - stream.tell()} bytes, its shape {shape} needs {expected}.")
    stream.seek(0)
    array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _header(where: str, stream: io.BytesIO) -> tuple[tuple[int, ...], np.dtype]:
    try:
        version = np.lib.format.read_magic(stream)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in readers:
            raise ValueError(f"format {version} is not one of {sorted(readers)}")
        shape, _, dtype = readers[version](stream)
    except Exception as error:
        # numpy parses the header with Python's parser, which can raise almost any error.
        raise ValueError(f"{where}: no readable array header ({error}).") from error
    return shape, dtype


def _text_array(where: str, stream: io.BytesIO, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if dtype != np.dtype(object):
        raise ValueError(f"{where}: an array of {dtype}; expected numbers or text.")
    try:
        unpickled = _TextOnly(stream).load()
    except Exception as error:
        # A hostile pickle can raise any error.
        raise ValueError(
            f"{where}: refused, nothing in it was run: {error}. An array of objects may hold text and nothing else."
        ) from error
    items = _items(unpickled)
    if items is None or len(items) != math.prod(shape):
        raise ValueError(f"{where}: an array of objects that are not text. Only numbers and text are read.")
    if max(map(len, items), default=0) > _MOST_CHARACTERS:
        raise ValueError(f"{where}: a text of more than {_MOST_CHARACTERS} characters, expected names.")
    return np.array(items, dtype=str).reshape(shape)


def _items(unpickled: object) -> list[str] | None:
    """The texts of a pickled array, None if it holds anything else."""
    # An array's state is (version, shape, dtype, Fortran order, elements).
    state = unpickled.state if isinstance(unpickled, _Noted) else None
    elements = state[4] if isinstance(state, tuple) and len(state) == 5 else None
    if not isinstance(elements, list) or not all(type(element) in (str, bytes) for element in elements):
        return None
    try:
        return [element if isinstance(element, str) else element.decode() for element in elements]
    except UnicodeDecodeError:
        return None


def described(arrays: Mapping[str, np.ndarray]) -> str:
    """The names and shapes of arrays, for messages."""
    return ", ".join(f"{name} {values.shape}" for name, values in arrays.items())
