"""Settings in TOML, records in JSON: one way to read a file, check it whole, and say what is wrong with it."""

import json
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

CheckedT = TypeVar("CheckedT", bound=Checked)


def read_toml(path: Path) -> dict[str, object]:
    """A TOML file's content. ValueError says which file, what is wrong with it, and what to do."""
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no file but a folder, a pipe or a device. Save its content as a file.")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{path} has {path.stat().st_size:,} bytes, expected settings. Correct the path.")
        # Editors on Windows begin UTF-8 files with a byte order mark.
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ValueError(f"{path} does not exist. Correct the path.") from error
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise not_toml(str(path), error) from error
    return parse_toml(str(path), text)


def parse_toml(where: str, text: str) -> dict[str, object]:
    """The content of TOML text. ValueError names the file (`where`) and what is wrong."""
    try:
        content = tomllib.loads(text)
    except RecursionError as error:
        raise _too_deep(where) from error
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise not_toml(where, error) from error
    if _levels_exceed(content, _MOST_LEVELS):
        raise _too_deep(where)
    return content


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
