import pytest

from warehouse.identity import SessionKey, Spellings, TrialKey, check_name

KEY = TrialKey(cohort="adults", subject="001", session="2026-05-12", trial="walk_slow_01")


def test_a_trial_s_key_is_read_back_from_its_text() -> None:
    assert TrialKey.parse(str(KEY)) == KEY
    with pytest.raises(ValueError, match="is not cohort/subject/session/trial"):
        TrialKey.parse("adults/001/2026-05-12")


def test_a_trial_belongs_to_its_session() -> None:
    session = SessionKey(cohort="adults", subject="001", session="2026-05-12")

    assert KEY.session_key == session
    assert session.of_trial("walk_slow_01") == KEY


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "..", "x" * 65, "cohort=a"])
def test_what_is_no_segment_of_a_path_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="can't be used in a path"):
        check_name("subject", name)
    with pytest.raises(ValueError, match="subject"):
        SessionKey(cohort="adults", subject=name, session="day1")


@pytest.mark.parametrize("name", ["CON", "nul", "Aux.2", "com1", "LPT9.toml", "S1."])
def test_what_windows_keeps_for_itself_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="on Windows"):
        SessionKey(cohort="adults", subject=name, session="day1")


@pytest.mark.parametrize("name", ["CONTROL", "null", "com10", "S.1"])
def test_what_only_looks_like_it_is_a_name(name: str) -> None:
    check_name("subject", name)


def test_names_that_differ_in_case_only_are_told() -> None:
    spellings = Spellings()
    assert spellings.other_than(SessionKey(cohort="adults", subject="S1", session="day1")) == ""
    assert spellings.other_than(SessionKey(cohort="adults", subject="S1", session="day2")) == ""
    assert spellings.other_than(SessionKey(cohort="children", subject="s1", session="day1")) == ""
    assert spellings.other_than(SessionKey(cohort="adults", subject="s1", session="day1")) == "adults/S1"
    assert spellings.other_than(SessionKey(cohort="Adults", subject="S2", session="day1")) == "adults"
    assert spellings.other_than(SessionKey(cohort="adults", subject="S1", session="DAY1")) == "adults/S1/day1"
