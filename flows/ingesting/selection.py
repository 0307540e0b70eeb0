"""Which trials a command is about: patterns such as `adults/S01` or `*/*/*/walk_fast_*`."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from warehouse.identity import TrialKey

_LEVELS = ("cohort", "subject", "session", "trial")


def check_patterns(patterns: Sequence[str]) -> None:
    """ValueError for a pattern that can match nothing."""
    for pattern in patterns:
        if not all(part for part in pattern.split("/")) or len(pattern.split("/")) > len(_LEVELS):
            raise ValueError(
                f"--only {pattern!r}: expected up to four patterns with '/' between them, {'/'.join(_LEVELS).upper()}, "
                "such as 'adults/S01' or '*/*/*/walk_fast_*'."
            )


def is_selected(key: TrialKey, patterns: Sequence[str]) -> bool:
    """Whether any pattern matches the trial; without patterns every trial is meant."""
    return not patterns or any(_matches(key, pattern) for pattern in patterns)


def _matches(key: TrialKey, pattern: str) -> bool:
    parts = pattern.split("/")
    names = [getattr(key, level) for level in _LEVELS[: len(parts)]]
    return all(fnmatchcase(name, part) for name, part in zip(names, parts, strict=True))
