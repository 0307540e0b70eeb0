from dataclasses import replace

import numpy as np

from benchmarks.audit import TARGETS, scaled, with_fault
from tests.reports.audit.cohort import WHO, found, made_up


def test_a_mass_ten_times_too_large_is_found_in_the_body_and_in_the_targets() -> None:
    cycles = made_up(conditions=("slow", "fast"))
    spoilt = with_fault(cycles, cycles.subject == WHO, scaled(0.1, TARGETS))
    spoilt = replace(spoilt, mass_kg=np.where(cycles.subject == WHO, 700.0, 70.0))

    assert found(spoilt) == [
        ("body", WHO, "targets"),
        ("scale", f"{WHO} fast", "targets"),
        ("scale", f"{WHO} slow", "targets"),
    ]
