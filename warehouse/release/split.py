"""Which subjects a model learns from and which it is tested on: whole subjects, never single trials."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSplit:
    """Subjects in training and subjects held out for the test, as `cohort/subject`, sorted; each is in one of the two.

    `method` says how they were chosen; `fraction` and `seed` are those of a random draw, else None.
    """

    method: Literal["none", "names", "seed"]
    train: tuple[str, ...]
    test: tuple[str, ...]
    fraction: float | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        both = sorted(set(self.train) & set(self.test))
        if both:
            raise ValueError(f"{', '.join(both)}: in training and in the test. A subject is in one of them.")
        if not self.train:
            everyone = ", ".join(self.test) if len(self.test) < 4 else f"all {len(self.test)} subjects"
            raise ValueError(
                f"{everyone} held out: no subject is left to train on. Hold fewer out; or run `gait2hip release` "
                "without --holdout for a release that models of another one are tested on, by `gait2hip evaluate`."
            )

    def as_plain(self) -> dict[str, object]:
        """Plain data, for `split.json`."""
        return asdict(self)


def hold_out_none(subjects: Iterable[str]) -> ReleaseSplit:
    """Every subject in training: for a release that is itself a test set, or that the trainer will split."""
    return ReleaseSplit(method="none", train=_sorted(subjects), test=())


def hold_out_named(subjects: Iterable[str], named: Sequence[str]) -> ReleaseSplit:
    """Hold out the subjects named, as `cohort/subject` or by their code alone.

    ValueError for a name that fits no subject, or subjects of several cohorts.
    """
    everyone = _sorted(subjects)
    test = {_the_one(name, everyone) for name in named}
    return ReleaseSplit(method="names", train=tuple(s for s in everyone if s not in test), test=_sorted(test))


def hold_out_drawn(subjects: Iterable[str], fraction: float, seed: int) -> ReleaseSplit:
    """Hold out a share of the subjects, drawn by `numpy.random.default_rng(seed)`.

    The draw is that of the published training scripts (ygsiete7/Gait2Hip-60): subjects are sorted and shuffled, and the
    first `round(fraction × subjects)`, at least one, are the test. The same subjects, fraction and seed give the same
    split as theirs.
    """
    everyone = np.array(_sorted(subjects))
    if not 0 < fraction < 1:
        raise ValueError(f"--holdout-fraction {fraction}: expected a share between 0 and 1.")
    n_test = max(1, round(len(everyone) * fraction))
    np.random.default_rng(seed).shuffle(everyone)
    drawn = [str(subject) for subject in everyone]
    return ReleaseSplit(
        method="seed", train=_sorted(drawn[n_test:]), test=_sorted(drawn[:n_test]), fraction=fraction, seed=seed
    )


def splitter(named: Sequence[str], fraction: float | None, seed: int | None) -> Callable[[Iterable[str]], ReleaseSplit]:
    """The function that makes the requested split: by name, by a draw, or none. ValueError if it is incomplete."""
    if (fraction is None) != (seed is None):
        raise ValueError("--holdout-fraction and --seed belong together: a draw that can't be repeated is no split.")
    if named and fraction is not None:
        raise ValueError("--holdout names the test's subjects, --holdout-fraction draws them: give one of the two.")
    if fraction is not None and seed is not None:
        return partial(hold_out_drawn, fraction=fraction, seed=seed)
    return partial(hold_out_named, named=tuple(named)) if named else hold_out_none


def subject_id(cohort: str, subject: str) -> str:
    """A subject's name in a split: with the cohort, since cohorts may use the same codes."""
    return f"{cohort}/{subject}"


def _sorted(subjects: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(subjects)))


def _the_one(name: str, everyone: Sequence[str]) -> str:
    matches = [subject for subject in everyone if name in (subject, subject.partition("/")[2])]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ValueError(f"--holdout {name}: several cohorts have that subject: give one of {', '.join(matches)}.")
    codes = Counter(subject.partition("/")[0] for subject in everyone)
    cohorts = ", ".join(f"{count} of {cohort}" for cohort, count in sorted(codes.items()))
    raise ValueError(f"--holdout {name}: the release has no such subject; it has {cohorts}: {_some(everyone)}.")


def _some(names: Sequence[str], shown: int = 12) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
