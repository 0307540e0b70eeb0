"""What may lie in an inbox, by mistake or intent: each costs itself alone, and no foreign file is shown or changed."""

import dataclasses
import functools
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.ingesting import inbox_border
from flows.ingesting.inbox import REPORT_JSON, REPORT_TEXT, Inbox, Taken, take
from flows.ingesting.inbox_border import bordered
from flows.ingesting.plan import plan_requests
from flows.ingesting.steps import CHAIN
from pipeline.storing.request import SessionRequest
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


def toml_bomb(folder: Path, secret: Path) -> None:
    (folder / "session.toml").write_text("a." * (1 << 20) + "a = 1")


def own_model(folder: Path, content: str | bytes) -> None:
    (folder / "body.osim").write_bytes(content if isinstance(content, bytes) else content.encode())
    rewrite(folder, 'static = "static.c3d"', 'scaled_model = "body.osim"')


def model_names_a_file_outside(folder: Path, secret: Path) -> None:
    own_model(folder, f"<OpenSimDocument><Model><mesh_file>{secret}</mesh_file></Model></OpenSimDocument>")


def model_names_a_file_above(folder: Path, secret: Path) -> None:
    own_model(folder, f"<OpenSimDocument><controls_file>..\\..\\{secret.name}</controls_file></OpenSimDocument>")


def model_with_an_entity(folder: Path, secret: Path) -> None:
    declared = f'<!DOCTYPE x [<!ENTITY y SYSTEM "file://{secret}">]>'
    own_model(folder, f"<?xml version='1.0'?>{declared}<OpenSimDocument><Model>&y;</Model></OpenSimDocument>")


def model_hides_a_declaration(folder: Path, secret: Path) -> None:
    own_model(folder, "<!DOCTYPE x><OpenSimDocument/>".encode("utf-16"))


def model_is_no_xml(folder: Path, secret: Path) -> None:
    own_model(folder, "<OpenSimDocument>")


def loads_outside(folder: Path, secret: Path) -> None:
    loads = secret.with_suffix(".xml")
    loads.write_text(f"<O><ExternalLoads name='{SECRET}'><datafile>forces.mot</datafile></ExternalLoads></O>")
    (folder / "loads.xml").symlink_to(loads)
    (folder / "forces.mot").touch()
    rewrite(folder, '"walk.c3d" = "slow"', '"walk.c3d" = {condition = "slow", forces = "forces.mot"}')


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
    toml_bomb,
    model_names_a_file_outside,
    model_names_a_file_above,
    model_with_an_entity,
    model_hides_a_declaration,
    model_is_no_xml,
    loads_outside,
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


def test_pipes_and_devices_beside_forces_are_passed_over(inbox: Path, tmp_path: Path) -> None:
    folder = copy_session(inbox, "S01")
    (folder / "forces.mot").touch()
    rewrite(folder, '"walk.c3d" = "slow"', '"walk.c3d" = {condition = "slow", forces = "forces.mot"}')
    os.mkfifo(folder / "pipe.xml")
    (folder / "endless.xml").symlink_to("/dev/zero")
    assert names(settled(inbox).whole) == ["S01"]


def test_a_model_without_foreign_files_is_taken(inbox: Path, tmp_path: Path) -> None:
    own_model(
        copy_session(inbox, "S01"),
        "<!-- of ours --><OpenSimDocument><mesh_file>femur.vtp</mesh_file></OpenSimDocument>",
    )
    assert names(settled(inbox).whole) == ["S01"]


def test_a_session_file_that_became_a_link_after_the_look_is_not_read(
    inbox: Path, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_session(inbox, "S01")
    linked_session_file(folder, secret)
    monkeypatch.setattr(inbox_border, "refuse_foreign_session_file", lambda file: None)
    taken(inbox, tmp_path)
    report = (folder / REPORT_TEXT).read_text("utf-8")
    assert "session.toml is a link" in report and SECRET not in report


def accepts(*_: object) -> str:
    return "done"


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_a_session_that_was_changed_since_it_was_ingested_is_not_opened(
    spoil: Callable[[Path, Path], None], inbox: Path, secret: Path, tmp_path: Path
) -> None:
    folder = copy_session(inbox, "S01")
    request = SessionRequest(
        session_file=str(folder / "session.toml"), recipe="gait2hip60", model=None, warehouse=str(tmp_path / "w")
    )
    own = {name: accepts for name in ("session_state", "prepare_session", "ingest_trial")}
    steps = bordered(dataclasses.replace(CHAIN, **own), str(inbox), [])  # type: ignore[arg-type]
    # Worker processes get them by name.
    steps = pickle.loads(pickle.dumps(steps))
    called = [(steps.session_state, ()), (steps.prepare_session, ()), (steps.ingest_trial, ("walk",))]
    assert [step(request, *trial) for step, trial in called] == ["done"] * 3

    spoil(folder, secret)

    for step, trial in called:
        with pytest.raises((ValueError, OSError)) as error:
            step(request, *trial)
        assert SECRET not in str(error.value)
    (refusal,) = plan_requests([request], request.warehouse, steps=steps).refused
    assert SECRET not in refusal.reason


def test_a_folder_that_became_a_link_is_not_followed_and_other_sessions_are_free(inbox: Path, tmp_path: Path) -> None:
    elsewhere = copy_session(tmp_path, "elsewhere")
    (inbox / "S01").symlink_to(elsewhere)
    steps = bordered(dataclasses.replace(CHAIN, session_state=accepts), str(inbox), [])  # type: ignore[arg-type]
    make = functools.partial(SessionRequest, recipe="gait2hip60", model=None, warehouse=str(tmp_path / "w"))
    with pytest.raises(ValueError, match="a link that leads out of the inbox"):
        steps.session_state(make(session_file=str(inbox / "S01" / "session.toml")))
    recordings_outside(elsewhere, tmp_path / "any.c3d")
    assert steps.session_state(make(session_file=str(elsewhere / "session.toml"))) == "done"
