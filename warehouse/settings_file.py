"""Settings that people write as TOML: one way to read a file, check it whole, and say what is wrong with it."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Checked(BaseModel):
    """Frozen, with no unknown entries and no infinities: what a file says is what runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


CheckedT = TypeVar("CheckedT", bound=Checked)


def read_toml(path: Path) -> dict[str, object]:
    """A TOML file's content. ValueError says which file, what is wrong with it, and what to do."""
    try:
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
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise not_toml(where, error) from error


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
        found = "" if item["type"] == "missing" else f" (found {item['input']!r})" if item["loc"] else ""
        rows.append(f"{place}: {item['msg'].removeprefix('Value error, ')}{found}")
    return ValueError(f"{where}: " + "; ".join(rows))
