"""A configuration is checked whole before anything is scheduled, and every path in it becomes absolute."""

from pathlib import Path

import pytest

from flows.deploy_config import load_deploy

WHOLE = """
format = 1
warehouse = "warehouse"
workers = 2

[ingest_inbox]
folder = "inbox"
recipe = "mine.toml"
cron = "*/5 * * * *"
timezone = "Europe/Zurich"

[regenerate]
cron = "0 2 * * *"
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "deploy.toml"
    file.write_text(text)
    return file


def test_paths_are_from_the_configurations_own_folder(tmp_path: Path) -> None:
    found = load_deploy(write(tmp_path, WHOLE))
    assert found.warehouse == str(tmp_path / "warehouse")
    assert found.ingest_inbox is not None and found.ingest_inbox.folder == str(tmp_path / "inbox")
    assert found.ingest_inbox.recipe == str(tmp_path / "mine.toml") and found.ingest_inbox.model == ""
    assert found.regenerate is not None and found.regenerate.timezone == "UTC"


def test_packaged_recipes_and_object_stores_stay_names(tmp_path: Path) -> None:
    text = WHOLE.replace('"mine.toml"', '"gait2hip60"').replace('"warehouse"', '"s3://bucket/prefix"')
    found = load_deploy(write(tmp_path, text))
    assert found.warehouse == "s3://bucket/prefix"
    assert found.ingest_inbox is not None and found.ingest_inbox.recipe == "gait2hip60"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (WHOLE.replace("format = 1", "format = 2"), "format: Input should be 1"),
        (WHOLE.replace("*/5 * * * *", "*/5 * * *"), "ingest_inbox.cron: expected five fields"),
        (WHOLE.replace("Europe/Zurich", "Zurich"), "ingest_inbox.timezone: no such time zone"),
        (WHOLE.replace("workers = 2", "workers = 0"), "workers"),
        (WHOLE + "\n[password]\n", "password: Extra inputs are not permitted"),
        ("format =", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, wrong: str, told: str) -> None:
    with pytest.raises(ValueError) as raised:
        load_deploy(write(tmp_path, wrong))
    assert told in str(raised.value) and "deploy.toml" in str(raised.value)


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        load_deploy(tmp_path / "none.toml")
