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
    read = observe_walk.read_c3d
    monkeypatch.setattr(observe_walk, "read_c3d", lambda path: in_step(read(path), -late_s))


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
    mine = tmp_path / "session.toml"
    mine.write_text(session.read_text("utf-8").replace('recordings = "."', f'recordings = "{session.parent}"'), "utf-8")
    line = plates_in_time.propose_plates_lag(mine)
    proposed_s = float(line.removeprefix("# plates_lag_s = ").split("  # PROPOSED, not applied: ")[0])
    assert proposed_s == pytest.approx(0.013, abs=WORST_S)
    assert line in mine.read_text("utf-8")
    assert load_session(mine).plates_lag_s is None

    mine.write_text(mine.read_text("utf-8").replace("# plates_lag_s", "plates_lag_s"), "utf-8")
    assert load_session(mine).plates_lag_s == proposed_s
    left = plates_in_time.lag_of_session(mine, PACKAGED_RECIPE).together
    assert left.lag_s == pytest.approx(0, abs=WORST_S)


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


def test_walks_that_tell_nothing_are_named_with_the_reason() -> None:
    found = plates_in_time.SessionLag(walks={}, untold={"walk_1": "rejected at markers"}, together=None)
    assert plates_in_time.proposal(found) == (
        "# plates_lag_s: the walks don't tell how late the plates are (walk_1 rejected at markers)"
    )
    small = PlateLag(lag_s=0.003, random_s=0.002, by_measure={})
    found = plates_in_time.SessionLag(walks={"walk_1": small}, untold={}, together=small)
    assert plates_in_time.proposal(found).endswith("by Newton's laws 3 ± 2 ms late (walk_1 3 ± 2): nothing to state")


def test_a_file_of_another_make_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "session.toml"
    file.write_text("[session]\n", "utf-8")
    with pytest.raises(ValueError, match="has no line `recordings"):
        plates_in_time.write_comment(file, "# a comment")


def test_what_is_left_is_proposed_with_what_is_stated() -> None:
    left = PlateLag(lag_s=0.016, random_s=0.003, by_measure={})
    found = plates_in_time.SessionLag(walks={"walk_1": left}, untold={}, together=left, stated_s=0.007)
    line = plates_in_time.proposal(found)
    assert line.startswith("# plates_lag_s = 0.023  # PROPOSED, not applied")
    assert "16 ± 3 ms late on top of the stated 7 ms (walk_1 16 ± 3)" in line
