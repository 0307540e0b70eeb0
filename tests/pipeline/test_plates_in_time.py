from pathlib import Path

import pytest

from pipeline.ground import observe_walk
from pipeline.ground.plate_lag import PlateLag, in_step
from pipeline.markers.static_trial import read_static
from pipeline.process_trial import process_trial
from pipeline.records import SubjectModel
from pipeline.session.recipe import PACKAGED_RECIPE
from pipeline.session.session import load_session
from pipeline.session.setup import open_session

pytestmark = pytest.mark.osim
plates_in_time = pytest.importorskip("pipeline.plates_in_time")

# Of walks without blemishes, whose body is known to a few millimetres: what filters and the sizing leave.
WORST_S = 0.001
NAN = float("nan")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One walk of a virtual person, whose plates and cameras are of one time."""
    from pipeline.virtual.make_laboratory import make_session
    from pipeline.virtual.request import checked_request

    folder = tmp_path_factory.mktemp("laboratory")
    request = checked_request(
        folder, cohort="healthy", subjects=1, conditions="med", trials=1, seed=1, blemishes="none"
    )
    return make_session(request, 1) / "session.toml"


def recorded_late(monkeypatch: pytest.MonkeyPatch, late_s: float) -> None:
    """From here on, plates are read `late_s` late."""
    read = observe_walk.read_recording
    monkeypatch.setattr(observe_walk, "read_recording", lambda *args: in_step(read(*args), -late_s))


@pytest.mark.parametrize("late_s", [0.0, 0.005, 0.01, 0.02])
def test_a_virtual_walk_tells_how_late_its_plates_are(
    session: Path, monkeypatch: pytest.MonkeyPatch, late_s: float
) -> None:
    """At zero it proves that the chain itself shifts nothing: the truth has force and motion of one time."""
    recorded_late(monkeypatch, late_s)
    found = plates_in_time.lag_of_session(session, PACKAGED_RECIPE)
    assert found.untold == {}
    assert found.together.lag_s == pytest.approx(late_s, abs=WORST_S)
    assert found.together.notable == (late_s > 0.006)


def test_a_stated_lag_is_taken_off_and_what_is_proposed_can_be_stated(
    session: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorded_late(monkeypatch, 0.013)
    words = plates_in_time.lag_in_words(plates_in_time.lag_of_session(session, PACKAGED_RECIPE))
    proposed = words.split(" below [session]")[0].split("write ")[1]
    mine = tmp_path / "session.toml"
    at = f'recordings = "{session.parent}"'
    mine.write_text(session.read_text("utf-8").replace('recordings = "."', f"{proposed}\n{at}"), "utf-8")
    assert load_session(mine).plates_lag_s == pytest.approx(0.013, abs=WORST_S)
    left = plates_in_time.lag_of_session(mine, PACKAGED_RECIPE)
    assert left.stated_s == load_session(mine).plates_lag_s
    assert left.together.lag_s == pytest.approx(0, abs=WORST_S)


def test_an_unstated_lag_is_warned_of_in_the_trial(
    session: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from pipeline.sizing.size_subject import size_subject

    setup = open_session(str(session), PACKAGED_RECIPE, None)
    static = read_static(setup)
    file = tmp_path / "scaled.osim"
    scaled = size_subject(setup, static)
    file.write_text(scaled.osim_xml, "utf-8")
    model = SubjectModel(file=file, scale_factors=scaled.scale_factors, warnings=())
    in_time = process_trial(setup, setup.session.trials[0], static, model, tmp_path)
    recorded_late(monkeypatch, 0.01)
    late = process_trial(setup, setup.session.trials[0], static, model, tmp_path)
    assert not any("against the cameras" in warning for warning in in_time.warnings)
    assert any("the plates seem 10 ± 0 ms late against the cameras" in warning for warning in late.warnings)


def test_walks_that_differ_by_more_than_they_say_widen_the_error() -> None:
    def lag(at_s: float) -> PlateLag:
        return PlateLag(lag_s=at_s, random_s=0.002, by_measure={})

    alike, apart = (plates_in_time.together([lag(0.01), lag(other)]) for other in (0.011, 0.022))
    assert alike.lag_s == pytest.approx(0.0105)
    assert alike.se_s == pytest.approx(0.002 / 2**0.5)
    assert apart.lag_s == pytest.approx(0.016)
    # Two walks 12 ms apart: their mean's standard error is half of that.
    assert apart.se_s == pytest.approx(0.006)
    assert plates_in_time.together([]) is None


def test_what_measures_disagree_by_in_all_walks_alike_does_not_average_out() -> None:
    """Forward says 0 ms and up 20 ms in each of a hundred walks: their mean is 10 ± 10 as of one."""
    walk = PlateLag(lag_s=0.01, random_s=0.002 / 2**0.5, by_measure={"forward": (0.0, 0.002), "up": (0.02, 0.002)})
    many = plates_in_time.together([walk] * 100)
    assert many.lag_s == pytest.approx(0.01)
    assert many.random_s == pytest.approx(walk.random_s / 10)
    assert many.se_s == pytest.approx(walk.se_s)
    assert walk.se_s == pytest.approx(0.01)


def told(lag_s: float, random_s: float, stated_s: float = 0.0) -> plates_in_time.SessionLag:
    lag = PlateLag(lag_s=lag_s, random_s=random_s, by_measure={"up": (lag_s, random_s), "pitch": (NAN, NAN)})
    return plates_in_time.SessionLag(walks={"walk_1": lag}, untold={}, together=lag, stated_s=stated_s, n_walks=1)


def test_walks_that_tell_nothing_are_named_with_the_reason() -> None:
    found = plates_in_time.SessionLag(walks={}, untold={"walk_1": "rejected at markers"}, together=None)
    assert plates_in_time.lag_in_words(found) == ("nothing tells how late the plates are (walk_1 rejected at markers)")
    words = plates_in_time.lag_in_words(told(0.003, 0.002))
    assert words == "by Newton's laws 3 ± 2 ms late (up 3 ± 2, pitch -; walk_1 3 ± 2): nothing to state"


def test_what_is_left_is_proposed_with_what_is_stated() -> None:
    words = plates_in_time.lag_in_words(told(0.016, 0.003, stated_s=0.007))
    assert words.startswith("by Newton's laws 16 ± 3 ms late on top of the stated 7 ms (up 16 ± 3, pitch -; walk_1 ")
    assert "write plates_lag_s = 0.023 below [session]" in words


def test_sessions_of_one_laboratory_are_told_together() -> None:
    found = plates_in_time.lag_of_sessions([told(0.010, 0.003), told(0.012, 0.003)])
    assert found.together.lag_s == pytest.approx(0.011)
    assert plates_in_time.lag_in_words(found).startswith(
        "by Newton's laws 11 ± 2 ms late (up 11 ± 2, pitch -; 2 walks)"
    )
    assert plates_in_time.lag_of_sessions([told(0.010, 0.003), told(0.003, 0.003, stated_s=0.007)]) is None
    assert plates_in_time.lag_of_sessions([]) is None
