"""Who looks on while networks are trained, one training after the other, and may end it between two batches."""

from typing import Protocol

from models.learning.training import Training


class Interrupted(Exception):
    """The training was asked to stop. What was learned so far is kept if the message says so."""


class Watch(Protocol):
    """Is told how a training goes. `begin` may set it to where it was when it was interrupted."""

    def begin(self, training: Training) -> None:
        """A training begins: the next one, in an order that is the same whenever the command is the same."""

    def between_batches(self) -> None:
        """Interrupted ends the training here."""

    def after_epoch(self, training: Training) -> None:
        """An epoch is over."""

    def end(self) -> None:
        """The training is over."""


class Unwatched:
    """Nobody looks on."""

    def begin(self, training: Training) -> None:
        """Nothing is kept of an earlier one."""

    def between_batches(self) -> None:
        """Nothing ends it."""

    def after_epoch(self, training: Training) -> None:
        """Nothing is kept."""

    def end(self) -> None:
        """Nothing is kept."""


UNWATCHED = Unwatched()
