import pytest

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


@pytest.mark.parametrize(
    ("n_compared", "said"),
    [
        (5, "nothing suspicious in 5 subjects, 15 cycles"),
        (3, "nothing suspicious in 5 subjects, 15 cycles; 2 subjects had nobody to compare with"),
        (0, "nobody to compare with: 5 subjects, 15 cycles, nothing beyond what physiology allows"),
    ],
)
def test_nothing_is_called_clean_that_was_not_compared(n_compared: int, said: str) -> None:
    clean = Audit(verdicts=(), not_judged=(), n_cycles=15, n_subjects=5, n_compared=n_compared)

    assert audit_text(clean) == audit_summary(clean) == said
