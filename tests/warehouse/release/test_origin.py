from collections.abc import Mapping

import pytest

from warehouse.identity import TrialKey
from warehouse.metadata import Stored
from warehouse.release.origin import common_origin
from warehouse.release.selection import StoredTrial

SESSION = {"model": "Rajagopal2016", "model_sha256": "ab" * 32, "opensim_version": "4.6", "mass_kg": 70.0}
MADE_FROM = {"settings": {"markers": {"cutoff_hz": 6.0}}, "versions": {"quality": 1}, "opensim": "4.6", "file": "x"}


def _trial(
    name: str, recipe: str = "gait2hip60", session: Mapping[str, object] = SESSION, **made_from: object
) -> StoredTrial:
    key = TrialKey(cohort="adults", subject="S01", session="day1", trial=name)
    identity = {"cohort": "adults", "subject": "S01", "session": "day1", "trial": name}
    account = Stored(
        table="trials", identity=identity, key=name * 4, recipe=recipe, made_from={**MADE_FROM, **made_from}
    )
    return StoredTrial(key=key, account=account, row={}, session=session)


def test_trials_of_one_recipe_model_and_code_go_together() -> None:
    found = common_origin([_trial("a"), _trial("b", file="another")])

    assert found["recipe"] == "gait2hip60"
    assert found["settings"] == MADE_FROM["settings"]
    assert found["models"] == ["Rajagopal2016"]


def test_one_model_may_go_by_two_names() -> None:
    found = common_origin([_trial("a"), _trial("b", session=SESSION | {"model": "copy.osim"})])

    assert found["models"] == ["Rajagopal2016", "copy.osim"]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (_trial("b", recipe="mine"), "recipe=mine"),
        (_trial("b", settings={"markers": {"cutoff_hz": 8.0}}), r"settings.markers.cutoff_hz=8.0"),
        (_trial("b", versions={"quality": 2}), "versions.quality=2"),
        (_trial("b", opensim="4.7"), "opensim=4.7"),
        (_trial("b", session=SESSION | {"model_sha256": "cd" * 32}), "model_sha256=cdcd"),
        (_trial("b", settings=None), "settings=not stored"),
        (_trial("b", stages={"scaling": {"facts": {"model": "ef" * 32}}}), "model_sha256=efef"),
    ],
)
def test_a_mixture_is_refused_with_what_differs_and_what_to_do(other: StoredTrial, told: str) -> None:
    with pytest.raises(ValueError, match="made in 2 ways") as error:
        common_origin([_trial("a"), other, _trial("c")])

    message = str(error.value)
    assert told in message
    assert "2 trials of adults (adults/S01/day1/a, …)" in message
    assert "1 trials of adults (adults/S01/day1/b, …)" in message
    assert "gait2hip ingest" in message
    assert "--recipe" in message


def test_a_session_that_was_scaled_twice_is_refused_by_name() -> None:
    """Its mass was corrected and one of its trials made again: two body masses for one person."""
    one, other = ({"scaling": {"key": key, "facts": {"model": "ab" * 32}}} for key in ("1" * 32, "2" * 32))

    assert common_origin([_trial("a", stages=one), _trial("b", stages=one)])["recipe"] == "gait2hip60"
    with pytest.raises(ValueError, match="the trials of session adults/S01/day1 rest on 2 scaled models") as error:
        common_origin([_trial("a", stages=one), _trial("b", stages=one), _trial("c", stages=other)])

    assert "gait2hip regenerate --only 'adults/S01/day1'" in str(error.value)
    assert "2 trials (a, …)" in str(error.value)
    assert "1 trials (c, …)" in str(error.value)
