"""What a session is processed by, in plain values that travel to any process."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """A session file, a recipe's name or file, a model's file (None: the recipe's or the built-in one), a warehouse.

    Paths are absolute: a worker has a directory of its own. `replace`: it may take the place of another person's.
    """

    session_file: str
    recipe: str
    model: str | None
    warehouse: str
    replace: bool = False
