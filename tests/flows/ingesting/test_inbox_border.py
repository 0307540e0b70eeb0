"""What may lie in an inbox, by mistake or intent: each costs itself alone, and no foreign file is shown or changed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.ingesting.inbox import REPORT_JSON, REPORT_TEXT, Inbox, Taken, take
from tests.flows.ingesting.test_inbox import Ingest, copy_session, names, settled

SECRET = "root:$6$topsecret"


def nested(opening: str, closing: str) -> str:
    return opening * 5000 + closing * 5000


def rewrite(folder: Path, old: str, new: str) -> None:
    file = folder / "session.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def name_outside(folder: Path, secret: Path) -> None:
    rewrite(folder, '"walk.c3d"', f'"../../{secret.name}"')


def name_absolute(folder: Path, secret: Path) -> None:
    rewrite(folder, '"walk.c3d"', json.dumps(str(secret)))


def static_outside(folder: Path, secret: Path) -> None:
    rewrite(folder, 'static = "static.c3d"', f"static = {json.dumps(str(secret))}")


def recordings_outside(folder: Path, secret: Path) -> None:
    rewrite(folder, 'profile = "any"', f'profile = "any"\nrecordings = {json.dumps(str(secret.parent))}')


def model_outside(folder: Path, secret: Path) -> None:
    rewrite(folder, 'static = "static.c3d"', f"scaled_model = {json.dumps(str(secret))}")


def forces_outside(folder: Path, secret: Path) -> None:
    rewrite(folder, '"walk.c3d" = "slow"', f'"walk.c3d" = {{condition = "slow", forces = {json.dumps(str(secret))}}}')


def profile_outside(folder: Path, secret: Path) -> None:
    profile = secret.with_suffix(".toml")
    profile.write_text(f'name = "{SECRET}"\n')
    rewrite(folder, '"any"', json.dumps(str(profile)))


def profile_as_a_path(folder: Path, secret: Path) -> None:
    rewrite(folder, '"any"', f'"../../{secret.name}"')


def linked_recording(folder: Path, secret: Path) -> None:
    (folder / "walk.c3d").unlink()
    (folder / "walk.c3d").symlink_to(secret)


def recordings_through_a_linked_folder(folder: Path, secret: Path) -> None:
    (folder / "here").symlink_to(secret.parent)
    rewrite(folder, '"walk.c3d"', f'"here/{secret.name}"')


def linked_session_file(folder: Path, secret: Path) -> None:
    (folder / "session.toml").unlink()
    (folder / "session.toml").symlink_to(secret)


def looping_link(folder: Path, secret: Path) -> None:
    (folder / "session.toml").unlink()
    (folder / "session.toml").symlink_to(folder / "session.toml")


def session_file_is_a_folder(folder: Path, secret: Path) -> None:
    (folder / "session.toml").unlink()
    (folder / "session.toml").mkdir()


def session_file_is_a_pipe(folder: Path, secret: Path) -> None:
    (folder / "session.toml").unlink()
    os.mkfifo(folder / "session.toml")


def recording_is_a_pipe(folder: Path, secret: Path) -> None:
    (folder / "walk.c3d").unlink()
    os.mkfifo(folder / "walk.c3d")


def recording_is_a_folder(folder: Path, secret: Path) -> None:
    (folder / "walk.c3d").unlink()
    (folder / "walk.c3d").mkdir()


def deep_toml(folder: Path, secret: Path) -> None:
    (folder / "session.toml").write_text("a = " + nested("[", "]"))


def no_text(folder: Path, secret: Path) -> None:
    (folder / "session.toml").write_bytes(bytes(range(256)))


def name_with_a_zero(folder: Path, secret: Path) -> None:
    rewrite(folder, '"walk.c3d"', '"walk\\u0000.c3d"')


def recordings_with_a_zero(folder: Path, secret: Path) -> None:
    rewrite(folder, 'profile = "any"', 'profile = "any"\nrecordings = "a\\u0000b"')


def name_too_long(folder: Path, secret: Path) -> None:
    rewrite(folder, '"walk.c3d"', f'"{"w" * 300}.c3d"')


def identity_too_long(folder: Path, secret: Path) -> None:
    rewrite(folder, 'id = "s1"', f'id = "{"s" * 65}"')


def identity_is_a_path(folder: Path, secret: Path) -> None:
    rewrite(folder, 'id = "s1"', 'id = "../../s1"')


def identity_is_a_device(folder: Path, secret: Path) -> None:
    rewrite(folder, 'id = "s1"', 'id = "nul"')


REFUSED: list[Callable[[Path, Path], None]] = [
    name_outside,
    name_absolute,
    static_outside,
    recordings_outside,
    model_outside,
    forces_outside,
    profile_outside,
    profile_as_a_path,
    linked_recording,
    recordings_through_a_linked_folder,
    linked_session_file,
    looping_link,
    session_file_is_a_folder,
    session_file_is_a_pipe,
    recording_is_a_pipe,
    recording_is_a_folder,
    deep_toml,
    no_text,
    name_with_a_zero,
    recordings_with_a_zero,
    name_too_long,
    identity_too_long,
    identity_is_a_path,
    identity_is_a_device,
]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret.c3d"
    file.write_text(SECRET)
    return file


def taken(inbox: Path, tmp_path: Path) -> tuple[Taken, list[str]]:
    ingest = Ingest()
    return take(settled(inbox), str(tmp_path / "warehouse"), ingest), ingest.taken


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_it_is_reported_beside_it_and_stops_no_other(
    spoil: Callable[[Path, Path], None], inbox: Path, secret: Path, tmp_path: Path
) -> None:
    spoilt = copy_session(inbox, "S01")
    copy_session(inbox, "S02")
    spoil(spoilt, secret)

    _, ingested = taken(inbox, tmp_path)

    assert ingested == ["S02"]
    report = (spoilt / REPORT_TEXT).read_text("utf-8")
    assert report.startswith("not ingested: ") and str(spoilt) in report
    assert SECRET not in report and secret.read_text() == SECRET


def prepared_report(folder: Path, kind: str, secret: Path) -> None:
    for name in (REPORT_JSON, REPORT_TEXT):
        if kind == "a link":
            (folder / name).symlink_to(secret)
        elif kind == "a pipe":
            os.mkfifo(folder / name)
        elif kind == "deep":
            (folder / name).write_text(nested("[", "]"))
        else:
            (folder / name).write_text('{"of": 1, "tries": {}}')


@pytest.mark.parametrize("kind", ["a link", "a pipe", "deep", "of another kind"])
def test_a_report_that_somebody_prepared_is_replaced_and_never_followed(
    kind: str, inbox: Path, secret: Path, tmp_path: Path
) -> None:
    folder = copy_session(inbox, "S01")
    prepared_report(folder, kind, secret)
    _, ingested = taken(inbox, tmp_path)
    assert ingested == ["S01"]
    assert "1 accepted" in (folder / REPORT_TEXT).read_text("utf-8")
    assert secret.read_text() == SECRET


def test_what_no_report_can_be_put_beside_is_in_the_log(inbox: Path, secret: Path, tmp_path: Path) -> None:
    (copy_session(inbox, "S01") / REPORT_TEXT).mkdir()
    foreign = copy_session(tmp_path, "elsewhere")
    (inbox / "linked").symlink_to(foreign)
    copy_session(inbox, "S02")
    before = sorted(foreign.iterdir())

    found, ingested = taken(inbox, tmp_path)

    assert set(ingested) == {"S01", "S02"}
    of_link, of_report = sorted(found.unwritten)[::-1]
    assert "linked is a link to a folder" in of_link and "S01: no report could be put there" in of_report
    assert sorted(foreign.iterdir()) == before


def test_a_folder_that_may_not_be_opened_is_named(inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = copy_session(inbox, "S01")
    copy_session(inbox, "S02")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed and allowed(path, mode))
    found, ingested = taken(inbox, tmp_path)
    assert "S02" in ingested and any("Give them permission" in line for line in found.unwritten)


def test_names_that_are_no_text_are_told_by_their_bytes(inbox: Path, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(inbox) + b"/S\xff1"))
    folder.mkdir()
    (folder / "walk.c3d").write_bytes(b"recording")
    copy_session(inbox, "S02")
    _, ingested = taken(inbox, tmp_path)
    assert ingested == ["S02"]
    assert r"S\udcff1 holds recordings but no session.toml" in (folder / REPORT_TEXT).read_text("utf-8")


def test_a_profile_of_the_operator_is_free(inbox: Path, tmp_path: Path) -> None:
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "lab.toml").touch()
    folder = copy_session(inbox, "S01")
    rewrite(folder, '"any"', json.dumps(str(profiles / "lab.toml")))
    assert names(settled(inbox).broken) == ["S01"]
    looking = Inbox(folder=inbox, profiles=[profiles], settle_s=0.0)
    assert names(looking.sort(0.0).whole) == ["S01"]


def test_forces_named_by_external_loads_are_awaited(inbox: Path, tmp_path: Path) -> None:
    folder = copy_session(inbox, "S01")
    (folder / "loads.xml").write_text(
        '<OpenSimDocument><ExternalLoads><objects><ExternalForce name="right">'
        "<applied_to_body>calcn_r</applied_to_body></ExternalForce></objects>"
        "<datafile>forces.mot</datafile></ExternalLoads></OpenSimDocument>"
    )
    rewrite(folder, '"walk.c3d" = "slow"', '"walk.c3d" = {condition = "slow", forces = "loads.xml"}')
    _, ingested = taken(inbox, tmp_path)
    assert not ingested and "forces.mot" in (folder / REPORT_TEXT).read_text("utf-8")
    (folder / "forces.mot").touch()
    assert names(settled(inbox).whole) == ["S01"]
