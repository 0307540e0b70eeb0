"""What a settings file may be: any depth or encoding of it ends in one sentence that names the file."""

import os
import tomllib
from pathlib import Path

import pytest

from warehouse.settings_file import Checked, checked, parse_json, parse_toml, read_toml


class _Entry(Checked):
    size: int


@pytest.mark.parametrize("levels", [21, 400, 100_000])
def test_content_that_is_nested_too_deep_is_refused_by_name(levels: int) -> None:
    nested = "[" * levels + "]" * levels

    for parse in (parse_toml, parse_json):
        text = f"x = {nested}" if parse is parse_toml else nested
        with pytest.raises(ValueError, match=r"^a\.file is nested more than 20 levels deep"):
            parse("a.file", text)


def test_content_as_deep_as_settings_are_is_read() -> None:
    assert parse_toml("a", "x = [[[1]]]") == {"x": [[[1]]]}
    assert parse_json("a", b'{"x": [[[1]]]}') == {"x": [[[1]]]}
    with pytest.raises(ValueError, match=r"^a\.json is not valid JSON in UTF-8"):
        parse_json("a.json", '{"n\xe4he": 1}'.encode("latin-1"))


def test_a_byte_order_mark_is_no_fault_and_latin_1_is(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"\xef\xbb\xbfsize = 1\n")
    assert read_toml(file) == {"size": 1}

    file.write_bytes("name = 'Jürgen'\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"a\.toml is not valid TOML in UTF-8"):
        read_toml(file)


def test_what_never_ends_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (tmp_path / "pipe.toml", tmp_path):
        with pytest.raises(ValueError, match="is no file but a folder, a pipe or a device"):
            read_toml(path)


def test_a_message_does_not_repeat_a_whole_file() -> None:
    with pytest.raises(ValueError, match=r"size: .*found 'x{79}…\)") as error:
        checked(_Entry, "a.toml", {"size": "x" * 10_000})

    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    "bomb",
    ["a." * (1 << 21) + "a = 1", "[" + "a . " * 1000 + "a]", "x = {" + "'.'.\t" * 30 + "a = 1}", '"""x"""' + ".a" * 30],
    ids=["4 MB", "header", "inline", "quoted"],
)
def test_a_key_of_many_parts_never_reaches_the_reader_that_takes_its_square(
    bomb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tomllib, "loads", lambda _: pytest.fail("it was read"))
    with pytest.raises(ValueError, match=r"^a\.toml is nested more than 20 levels deep"):
        parse_toml("a.toml", bomb)


@pytest.mark.parametrize(
    "text",
    [
        f"x = [{', '.join(['0.5'] * 1000)}]",
        f"x = '{'a.' * 1000}'  # {'a.' * 1000}",
        f'x = """\n"{"a." * 1000}\\""""',
        f"x = '''\n'{'a.' * 1000}'''",
        ".".join("abcdefghijklmnopqrst") + " = 1",
        "\n".join(f"a{n}.b.c = 1" for n in range(100)),
    ],
)
def test_dots_that_are_no_key_s_are_free(text: str) -> None:
    assert parse_toml("a.toml", text) == tomllib.loads(text)


def test_a_link_is_followed_unless_it_is_not_to_be(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("size = 1")
    (tmp_path / "b.toml").symlink_to(tmp_path / "a.toml")
    assert read_toml(tmp_path / "b.toml") == {"size": 1}
    with pytest.raises(ValueError, match="is a link"):
        read_toml(tmp_path / "b.toml", follow_link=False)
