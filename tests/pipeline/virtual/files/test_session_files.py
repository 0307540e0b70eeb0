from pathlib import Path

import numpy as np
import pytest

from pipeline.session.load_profile import load_profile
from pipeline.session.session import load_session
from pipeline.virtual.files.session_files import session_content, write_session_folder
from pipeline.virtual.instruments.blemishes import load_blemishes
from pipeline.virtual.instruments.capture import capture_standing, capture_walk
from pipeline.virtual.instruments.marker_blemishes import draw_skin
from tests.pipeline.virtual.performances import PROFILE, SUBJECT, standing, walking


@pytest.fixture(scope="module")
def content() -> dict[str, bytes]:
    settings, rng = load_blemishes("default"), np.random.default_rng(1)
    skin = draw_skin(tuple(PROFILE.markers), PROFILE, settings, rng)
    walk = capture_walk(walking(), PROFILE, "+y", skin, settings, rng)
    still = capture_standing(standing(), settings, rng)
    return session_content(
        SUBJECT, "virtual-healthy", "session-1", "isb_full_body", still, {"walk_slow_01": ("slow", walk)}
    )


def test_a_session_is_what_ingest_takes(content: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "VH001" / "session-1"
    write_session_folder(folder, content)
    session = load_session(folder)

    assert (session.key.cohort, session.key.subject, session.key.session) == ("virtual-healthy", "VH001", "session-1")
    assert (session.subject.mass_kg, session.subject.height_m) == (SUBJECT.mass_kg, SUBJECT.height_m)
    assert [(trial.name, trial.condition) for trial in session.trials] == [("walk_slow_01", "slow")]
    assert load_profile(session.profile).name == "isb_full_body"
    assert session.static.is_file()
    assert session.trials[0].path.is_file()
    assert "virtual, not patients" in session.file.read_text()


def test_the_truth_lies_beside_the_recordings(content: dict[str, bytes]) -> None:
    truth = {name for name in content if name.startswith("truth/")}

    assert truth == {
        "truth/blemishes.parquet",
        *(f"truth/{name}.{what}.parquet" for name in ("static", "walk_slow_01") for what in ("motion", "ground")),
    }


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    class TooMuchError(Exception):
        pass

    class Failing(dict[str, bytes]):
        def items(self):
            yield "session.toml", b""
            raise TooMuchError

    with pytest.raises(TooMuchError):
        write_session_folder(tmp_path / "S" / "session-1", Failing())
    assert list((tmp_path / "S").iterdir()) == []


def test_where_nothing_can_be_written_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "S").touch()

    with pytest.raises(ValueError, match="session-1 can't be written"):
        write_session_folder(tmp_path / "S" / "session-1", {"session.toml": b""})
