"""Signals are remembered, once, and handed back."""

import signal
from collections.abc import Iterator

import pytest

from flows.learning.interruption import interruption


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_remembered_and_the_handler_given_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    with interruption() as asked:
        assert not asked.came()
        signal.raise_signal(number)

        assert asked.came()
        assert asked.exit_code == 128 + number
        # The next one ends the program, as it always did.
        assert signal.getsignal(number) is before
    assert signal.getsignal(number) is before


@pytest.fixture
def listening() -> Iterator[None]:
    """Ctrl-C as Python has it: a program started in the background may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_second_one_interrupts_at_once(listening: None) -> None:
    with interruption() as asked, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    assert asked.came()


def test_what_is_raised_inside_gives_the_handlers_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(ValueError, match="inside"), interruption():
        raise ValueError("inside")

    assert signal.getsignal(signal.SIGTERM) is before
