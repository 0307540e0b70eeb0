"""Being asked to stop: by Ctrl-C, by a scheduler whose time is over, by a machine that shuts down."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption:
    """Which signal came, if one came."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def came(self) -> bool:
        """Whether one came."""
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """What a shell expects of a program that a signal ended."""
        assert self.signal is not None, "nothing interrupted it"
        return 128 + self.signal


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Remembers the first SIGTERM or SIGINT instead of ending at once; a second one does what it always does."""
    interruption = Interruption()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def remember(number: int, _frame: FrameType | None) -> None:
        interruption.signal = number
        _restore(before)

    for number in _SIGNALS:
        signal.signal(number, remember)
    try:
        yield interruption
    finally:
        _restore(before)


def _restore(handlers: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
