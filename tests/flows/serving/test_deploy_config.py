"""A configuration is checked whole before anything is scheduled, and every path in it becomes absolute."""

from importlib.resources import files
from pathlib import Path

import pytest

from flows.serving.deploy_config import load_deploy

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

RETRAIN = """
[retrain]
cron = "0 4 * * 0"
runs = "runs"
holdout = ["S05", "S11", "S17"]
"""
EVALUATE = """
[evaluate]
cron = "0 6 * * 1"
release = "release"
pages = "pages"
champion_of = "both"
runs = ["runs/mine", "/elsewhere/theirs"]
"""
TRACKED = EVALUATE + 'tracking_uri = "sqlite:///m.db"\n'


def write(tmp_path: Path, text: str) -> Path:
    """The configuration, and beside it the recipe that it names."""
    packaged = (files("pipeline") / "recipes" / "gait2hip60.toml").read_text("utf-8")
    (tmp_path / "mine.toml").write_text(packaged)
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
        (WHOLE.replace("mine.toml", "none.toml"), "none.toml"),
        (WHOLE.replace("settle", "model").replace("[regenerate]", '[regenerate]\nrecipe = "unknown"'), "unknown"),
        (WHOLE + EVALUATE, "evaluate.tracking_uri is missing"),
        (WHOLE + TRACKED.replace('"both"', '"all"'), "evaluate.champion_of"),
        (WHOLE + RETRAIN + EVALUATE.replace('"both"', '"forces"'), "evaluate.champion_of is 'forces'"),
        (WHOLE + TRACKED.replace('"both"', '""').replace('"runs/mine", "/elsewhere/theirs"', ""), "nobody to test"),
        (WHOLE + TRACKED.replace("runs/mine", "here/theirs"), "folders of different names"),
        (WHOLE + TRACKED.replace('release = "release"\n', ""), "evaluate.release: Field required"),
        (WHOLE.replace('cron = "*/5', 'model = "gone.osim"\ncron = "*/5'), "gone.osim does not exist"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, wrong: str, told: str) -> None:
    with pytest.raises(ValueError) as raised:
        load_deploy(write(tmp_path, wrong))
    assert told in str(raised.value)


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        load_deploy(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("uri", "found"),
    [("sqlite:///m.db", "sqlite:///{}/m.db"), ("sqlite:////a/m.db", "sqlite:////a/m.db"), ("http://s:5000",) * 2],
)
def test_a_database_lies_beside_the_configuration(tmp_path: Path, uri: str, found: str) -> None:
    job = f'[retrain]\ncron = "0 4 * * 0"\nruns = "r"\nholdout = ["A", "B", "C"]\ntracking_uri = "{uri}"\n'
    loaded = load_deploy(write(tmp_path, WHOLE + job)).retrain
    assert loaded is not None and loaded.tracking_uri == found.format(tmp_path)


def test_an_evaluations_paths_are_the_configurations_and_its_champion_is_the_retrainings(tmp_path: Path) -> None:
    retrain = '[retrain]\ncron = "0 4 * * 0"\nruns = "r"\nholdout = ["A", "B", "C"]\n'
    for text, uri in (
        (TRACKED, f"sqlite:///{tmp_path}/m.db"),
        (EVALUATE + retrain, f"sqlite:///{tmp_path}/r/mlruns.db"),
    ):
        found = load_deploy(write(tmp_path, WHOLE + text)).evaluate
        assert found is not None and found.tracking_uri == uri
        assert found.runs == (str(tmp_path / "runs/mine"), "/elsewhere/theirs")
        assert (found.release, found.pages) == (str(tmp_path / "release"), str(tmp_path / "pages"))
