from reports.audit.table import audit_summary, audit_text
from reports.audit.verdict import Audit
from tests.reports.audit.test_verdict import AUDIT


def test_the_text_begins_with_the_counts_and_ends_with_what_was_not_judged() -> None:
    lines = audit_text(AUDIT).splitlines()

    assert lines[0] == "2 verdicts on 2 of 8 subjects, 40 cycles: 1 sign, 1 chatter"
    assert "".join(lines[2].split()) == "|what|where|channel|howfar|limit|found|"
    assert [len(line) for line in lines[2:6]] == [len(lines[2])] * 4
    assert lines[4].startswith("| sign    | adults/S1 slow left ")
    assert lines[-1] == "- children: too few."


def test_nothing_suspicious_is_said() -> None:
    clean = Audit(verdicts=(), not_judged=(), n_cycles=3, n_subjects=1)

    assert audit_text(clean) == audit_summary(clean) == "nothing suspicious in 1 subjects, 3 cycles"
