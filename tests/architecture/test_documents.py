"""Documents that lead a newcomer through the code name files that are there."""

import re

import pytest

from tests.architecture.imports import REPOSITORY, all_modules

# `process_trial.py`, `storing/stages.py:STAGES`, `pipeline/recipes/*.toml`
FILE = re.compile(r"`([\w./*-]+\.(?:py|toml|csv))(?::\w+)?`")
# Files that users write.
USERS_OWN = {"session.toml", "deploy.toml"}
DOCUMENTS = (
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "README.md",
    *sorted(str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("docs/*.md")),
    *sorted(str(path.relative_to(REPOSITORY)) for path in all_modules().values() if path.name == "__init__.py"),
)


def is_there(name: str) -> bool:
    """Whether a file of this path, or of a path that ends so, is in the repository."""
    return any(REPOSITORY.glob(name)) or any(REPOSITORY.glob(f"[a-z]*/**/{name}"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_is_there(document: str) -> None:
    names = set(FILE.findall((REPOSITORY / document).read_text("utf-8"))) - USERS_OWN

    assert sorted(name for name in names if not is_there(name)) == []


def test_a_file_that_is_not_there_is_seen() -> None:
    assert is_there("warehouse/schemas.py")
    assert is_there("schemas.py")
    assert not is_there("warehouse/scheme.py")
    assert FILE.findall("`storing/stages.py:STAGES` and `recipes/*.toml`") == ["storing/stages.py", "recipes/*.toml"]


def test_architecture_is_a_page() -> None:
    assert len((REPOSITORY / "ARCHITECTURE.md").read_text("utf-8")) < 16_000


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_path_is_of_somebody_s_machine(document: str) -> None:
    assert not re.search(r"`/(?:home|root|work|Users)/", (REPOSITORY / document).read_text("utf-8"))
