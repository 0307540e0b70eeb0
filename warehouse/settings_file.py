"""Settings in TOML, records in JSON: one way to read a file, check it whole, and say what is wrong with it."""

import errno
import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Checked(BaseModel):
    """Frozen, with no unknown entries and no infinities: what a file says is what runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# A recipe has three levels. Content that is deeper ends in errors of Python's own, wherever it is next walked through.
_MOST_LEVELS = 20
_MOST_BYTES = 4 << 20
_MOST_SHOWN = 80
# What a key is made of, and whatever ends one. Each alternative takes all it can: no text is walked through twice.
_TOKENS = re.compile(
    r"""(?P<long>"{3}(?:[^"\\]|\\.|"(?!""))*+(?:"{3})?|'{3}(?:[^']|'(?!''))*+(?:'{3})?)"""
    r"""|(?P<part>"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|[A-Za-z0-9_-]++)"""
    r"|(?P<dot>\.)|(?P<blank>[ \t]++)|(?P<comment>#[^\n]*+)|[^A-Za-z0-9_\-.\"'#]",
    re.DOTALL,
)

CheckedT = TypeVar("CheckedT", bound=Checked)


def read_toml(path: Path, *, follow_link: bool = True) -> dict[str, object]:
    """A TOML file's content. ValueError says which file, what is wrong with it, and what to do."""
    try:
        # Editors on Windows begin UTF-8 files with a byte order mark.
        text = regular_bytes(path, _MOST_BYTES, follow_link=follow_link).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ValueError(f"{path} does not exist. Correct the path.") from error
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise not_toml(str(path), error) from error
    return parse_toml(str(path), text)


def regular_bytes(path: Path, most: int, *, follow_link: bool = True) -> bytes:
    """The content of a file, opened once.

    ValueError for what is no regular file, for a link if none is to be followed, or for more than `most` bytes; OSError
    if it can't be opened.
    """
    # Neither is there on Windows. A pipe would wait for its writer.
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not follow_link:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        opened = os.open(path, os.O_RDONLY | flags)
    except OSError as error:
        if error.errno == errno.ELOOP and not follow_link:
            raise ValueError(f"{path} is a link. Copy the file itself there.") from error
        if path.is_dir() or error.errno == errno.ENXIO:
            raise _no_file(path) from error
        raise
    try:
        kind = os.fstat(opened)
        if not stat.S_ISREG(kind.st_mode):
            raise _no_file(path)
        with os.fdopen(opened, "rb", closefd=False) as file:
            content = file.read(most + 1)
    finally:
        os.close(opened)
    if len(content) > most:
        raise ValueError(f"{path} has {kind.st_size:,} bytes, expected {most:,} at most. Correct the path.")
    return content


def _no_file(path: Path) -> ValueError:
    return ValueError(f"{path} is no file but a folder, a pipe or a device. Save its content as a file.")


def parse_toml(where: str, text: str) -> dict[str, object]:
    """The content of TOML text. ValueError names the file (`where`) and what is wrong."""
    # The time that `tomllib` takes grows with the square of a dotted key's length.
    if _key_is_deep(text):
        raise _too_deep(where)
    try:
        content = tomllib.loads(text)
    except RecursionError as error:
        raise _too_deep(where) from error
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise not_toml(where, error) from error
    if _levels_exceed(content, _MOST_LEVELS):
        raise _too_deep(where)
    return content


def _key_is_deep(text: str) -> bool:
    dots = 0
    for token in _TOKENS.finditer(text):
        if token.lastgroup == "dot":
            dots += 1
            if dots >= _MOST_LEVELS:
                return True
        elif token.lastgroup not in ("part", "blank"):
            dots = 0
    return False


def parse_json(where: str, raw: str | bytes) -> Any:
    """The content of JSON. ValueError names the file (`where`) if it is none, or nested too deep."""
    try:
        content = json.loads(raw)
    except RecursionError as error:
        raise _too_deep(where) from error
    except ValueError as error:
        raise ValueError(f"{where} is not valid JSON in UTF-8: {error}.") from error
    if _levels_exceed(content, _MOST_LEVELS):
        raise _too_deep(where)
    return content


def _levels_exceed(content: object, most: int) -> bool:
    """Level by level, since a function that calls itself fails on what it looks for."""
    level = [content]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _too_deep(where: str) -> ValueError:
    return ValueError(f"{where} is nested more than {_MOST_LEVELS} levels deep, which no settings are. Correct it.")


def not_toml(where: str, error: Exception) -> ValueError:
    """The error of a file that isn't TOML in UTF-8."""
    return ValueError(f"{where} is not valid TOML in UTF-8: {error}. Correct it, or save it as UTF-8.")


def checked(kind: type[CheckedT], where: str, content: dict[str, object]) -> CheckedT:
    """Content as a checked record. ValueError names the file (`where`), each setting, what was found and expected."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise in_words(where, error) from error


def in_words(where: str, error: ValidationError) -> ValueError:
    """A pydantic error as one paragraph: the file, each setting, what was found and what was expected."""
    rows = []
    for item in error.errors(include_url=False):
        place = ".".join(str(part) for part in item["loc"]) or "the whole file"
        found = "" if item["type"] == "missing" else f" (found {_shown(item['input'])})" if item["loc"] else ""
        rows.append(f"{place}: {item['msg'].removeprefix('Value error, ')}{found}")
    return ValueError(f"{where}: " + "; ".join(rows))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
