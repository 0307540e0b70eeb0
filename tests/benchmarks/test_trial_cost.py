"""The clock counts what a function takes, however it ends, and leaves it as it was."""

import time
from types import ModuleType

import pytest

from benchmarks.trial_cost import PARTS, WHOLE, cost_table, least, timed


def spin(seconds: float) -> float:
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass
    return seconds


def test_functions_are_timed_while_it_lasts() -> None:
    module = ModuleType("module")
    module.spin = spin
    module.fails = lambda: spin(0.01) and 1 / 0
    with timed(((module, "spin"), (module, "fails"))) as spent:
        assert module.spin(0.02) == 0.02
        assert module.spin(0.01) == 0.01
        with pytest.raises(ZeroDivisionError):
            module.fails()
    assert module.spin is spin
    assert spent["spin"] == pytest.approx(0.03, abs=0.01)
    assert spent["fails"] == pytest.approx(0.01, abs=0.005)


def test_a_part_that_is_not_called_takes_nothing() -> None:
    runs = [{WHOLE: 0.3, "read_recording": 0.02}, {WHOLE: 0.2, "read_recording": 0.03}]
    found = least(runs)
    assert (found[WHOLE], found["read_recording"], found["standing_subject"]) == (0.2, 0.02, 0.0)
    table = cost_table([{WHOLE: 0.7, "read_shared_model": 0.3}], [found])
    assert "| a walk | 200 | 500 |" in table
    assert "| read_shared_model | 0 | 300 |" in table
    assert len(table.splitlines()) == 2 + 1 + len(PARTS)


def test_every_part_is_there() -> None:
    assert all(callable(getattr(module, name)) for module, name in PARTS)
