"""The identity of a row: cohort, subject, session and trial."""

import re
from dataclasses import dataclass
from typing import Self

# The names of all cohorts of virtual people begin like this: whatever shows them says that they are virtual.
VIRTUAL_PREFIX = "virtual-"

# Safe as one path segment on every file system and object store, without a hive separator.
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


# What Windows means a device by, whatever follows a dot; of a name that ends in a dot, Windows takes the dot away.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def check_name(what: str, value: str) -> None:
    """ValueError if `value` can't be one segment of a path on every system; `what` says what it is the name of."""
    if not _SAFE.fullmatch(value):
        raise ValueError(
            f"{what} {value!r} can't be used in a path: use 1-64 letters, digits, '.', '_' or '-', "
            "beginning with a letter or digit."
        )
    if value.endswith(".") or _DEVICES.fullmatch(value):
        why = "loses its dot" if value.endswith(".") else "is a device"
        raise ValueError(f"{what} {value!r} can't name a file on Windows, where it {why}. Choose another name.")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SessionKey:
    """One visit of one subject."""

    cohort: str
    subject: str
    session: str

    def __post_init__(self) -> None:
        for what in ("cohort", "subject", "session"):
            check_name(what, getattr(self, what))

    def of_trial(self, name: str) -> "TrialKey":
        """The key of one of this session's trials."""
        return TrialKey(cohort=self.cohort, subject=self.subject, session=self.session, trial=name)


class Spellings:
    """How names of cohorts, subjects and sessions are spelt, so that none differs from another in case only."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def other_than(self, key: SessionKey) -> str:
        """A name that differs from one of this key's in case only; without one "", and the key's are kept."""
        names = [key.cohort, f"{key.cohort}/{key.subject}", f"{key.cohort}/{key.subject}/{key.session}"]
        for name in names:
            if (known := self._known.get(name.casefold(), name)) != name:
                return known
        self._known.update((name.casefold(), name) for name in names)
        return ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TrialKey(SessionKey):
    """One recorded trial."""

    trial: str

    def __post_init__(self) -> None:
        for what in ("cohort", "subject", "session", "trial"):
            check_name(what, getattr(self, what))

    @property
    def session_key(self) -> SessionKey:
        """The visit this trial was recorded in."""
        return SessionKey(cohort=self.cohort, subject=self.subject, session=self.session)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`: cohort/subject/session/trial."""
        parts = text.split("/")
        if len(parts) != 4:
            raise ValueError(f"{text!r} is not cohort/subject/session/trial.")
        return cls(cohort=parts[0], subject=parts[1], session=parts[2], trial=parts[3])

    def __str__(self) -> str:
        return f"{self.cohort}/{self.subject}/{self.session}/{self.trial}"
