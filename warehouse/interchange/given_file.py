"""Files that others give, checked before they are read: regular, of a bearable size, and, if a ZIP, no bomb.

A named pipe never ends, a device neither, and a few kilobytes of ZIP can unpack to terabytes. Everything that reads a
file from outside asks here first. ValueError names the file, what was found and what to do.
"""

import contextlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from warehouse.files.storage import describe_os_errors

# The published data set is 0.1 GB, its largest checkpoint 3 MB.
MOST_BYTES = 4 << 30
MOST_MEMBERS = 20_000
# An entry of a ZIP's directory takes 46 bytes and its name.
_MOST_DIRECTORY_BYTES = MOST_MEMBERS * 400
# Text tables shrink to a third, and nothing measured shrinks to a hundredth. Small files may: they hurt nobody.
_MOST_RATIO, _HARMLESS_BYTES = 100, 64 << 20
_DIRECTORY_END, _DIRECTORY_END_64 = b"PK\x05\x06", b"PK\x06\x06"
# The record at a ZIP's end, with the longest comment it may have and the records of large archives.
_END_BYTES = (1 << 16) + 200


def check_given(path: Path, most_bytes: int = MOST_BYTES) -> None:
    """ValueError for a folder, a pipe, a device, or a file of more bytes. A missing path is left to who opens it."""
    if not path.exists():
        return
    if not path.is_file():
        what = "a folder" if path.is_dir() else "a named pipe, socket or device, which may never end"
        raise ValueError(f"{path} is {what}, expected a file. Save its content as a file, and name that.")
    found = path.stat().st_size
    if found > most_bytes:
        raise ValueError(f"{path} has {found:,} bytes, expected at most {most_bytes:,}. Is it the right file?")


def content_of(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """A file's content. ValueError as `check_given`; MissingFile or WarehouseError if it can't be read."""
    check_given(path, most_bytes)
    with describe_os_errors("read", str(path)):
        return path.read_bytes()


def csv_table(path: Path) -> pa.Table:
    """A CSV file's table. ValueError if it is none, isn't UTF-8, or names a column twice."""
    content = content_of(path)
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
    try:
        table = pa.csv.read_csv(pa.BufferReader(content))
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} can't be read as CSV: {error}") from error
    refuse_repeated(str(path), table.column_names)
    return table


def refuse_repeated(where: str, columns: Sequence[str]) -> None:
    """ValueError for a column that stands twice: which of the two is meant can't be known."""
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise ValueError(f"{where} has {', '.join(twice)} twice, expected each column once. Remove the wrong one.")


@contextlib.contextmanager
def opened_zip(path: Path, kind: str) -> Iterator[zipfile.ZipFile]:
    """A ZIP file whose members may be read one by one with `member_of`. ValueError calls it a `kind` if it is damaged.

    Names, counts and sizes are checked before any content is read.
    """
    check_given(path)
    try:
        _check_directory(path, kind)
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive)
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise ValueError(f"{path}: not a whole {kind} file ({error}). Get it again.") from error
    except OSError as error:
        raise ValueError(f"{path}: can't be read ({error.strerror or error}).") from error


def member_of(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's content, never more than its stated size.

    ValueError if it is encrypted, damaged, or packed by a method that can't be read.
    """
    where = f"{path}, {info.filename}"
    if info.flag_bits & 1:
        raise ValueError(f"{where}: encrypted. Unpack it with its password, and name the folder or a new archive.")
    try:
        return archive.read(info)
    except NotImplementedError as error:
        raise ValueError(
            f"{where}: packed by method {info.compress_type}, which can't be read here. Pack it again by deflate."
        ) from error
    except (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error) as error:
        raise ValueError(f"{where}: damaged ({error}). Get the file again.") from error


def _check_directory(path: Path, kind: str) -> None:
    """Python's reader takes the whole directory of a ZIP into memory, however many names it has."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_BYTES))
        end = file.read()
    at, large = end.rfind(_DIRECTORY_END), end.rfind(_DIRECTORY_END_64)
    if at < 0 or len(end) < at + 22:
        raise zipfile.BadZipFile(f"no directory at the end, as every {kind} file has")
    (n_bytes,) = struct.unpack_from("<I", end, at + 12)
    if n_bytes == 0xFFFFFFFF and 0 <= large <= len(end) - 56:
        (n_bytes,) = struct.unpack_from("<Q", end, large + 40)
    if n_bytes > _MOST_DIRECTORY_BYTES:
        raise ValueError(
            f"{path}: {n_bytes:,} bytes of names, expected at most {_MOST_DIRECTORY_BYTES:,}. Is it the right file?"
        )


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise ValueError(f"{path}: {len(members):,} files in it, expected at most {MOST_MEMBERS:,}.")
    names = [info.filename for info in members]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{path}: holds {twice!r} twice, expected each name once. Get the file again.")
    unpacked = sum(info.file_size for info in members)
    packed = path.stat().st_size
    if unpacked > MOST_BYTES or unpacked > max(_HARMLESS_BYTES, _MOST_RATIO * packed):
        raise ValueError(
            f"{path}: {packed:,} bytes unpack to {unpacked:,}, {unpacked / packed:.0f} times as many; expected at most "
            f"{MOST_BYTES:,} and {_MOST_RATIO} times. Nothing in it was read. Is it the right file?"
        )
