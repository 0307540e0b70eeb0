import pytest

from reports.audit.verdict import VERDICT_KINDS, WHY, Audit, AuditVerdict, ordered, parse_audit
from warehouse.errors import WarehouseError
from warehouse.release.manifest import plain_json

SIGN = AuditVerdict(
    kind="sign",
    subject="adults/S1",
    condition="slow",
    side="left",
    channel="moment_hip_flexion",
    score=-0.98,
    limit=-0.5,
    found="correlation of -0.98 with the median of 7 others",
)
CHATTER = AuditVerdict(
    kind="chatter",
    subject="adults/S0",
    condition="slow",
    session="day1",
    trial="t1",
    side="right",
    cycle=2,
    channel="force_tfl",
    score=0.31,
    limit=0.2,
    found="harmonics 30 and up are 0.31 of the curve",
)
AUDIT = Audit(verdicts=(SIGN, CHATTER), not_judged=("children: too few",), n_cycles=40, n_subjects=8, n_compared=6)


def test_an_audit_is_read_back_as_it_was_written() -> None:
    assert parse_audit("audit.json", plain_json(AUDIT.as_plain())) == AUDIT


def test_what_is_no_audit_is_refused_by_its_name() -> None:
    for raw in (b"{}", b"no json", plain_json({**AUDIT.as_plain(), "verdicts": [{"kind": "sign"}]})):
        with pytest.raises(WarehouseError, match=r"^where/audit\.json is no audit"):
            parse_audit("where/audit.json", raw)


def test_every_kind_says_why_it_matters() -> None:
    assert set(WHY) == set(VERDICT_KINDS)


def test_what_concerns_a_whole_subject_comes_first() -> None:
    assert ordered([CHATTER, SIGN]) == (SIGN, CHATTER)


def test_a_place_is_as_precise_as_the_verdict() -> None:
    assert SIGN.where == "adults/S1 slow left"
    assert CHATTER.where == "adults/S0/day1/t1 right cycle 2"
