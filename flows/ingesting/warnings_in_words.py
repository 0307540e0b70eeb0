"""Warnings of trials as lines for a person: worst first, each said once with how many trials it is true of."""

from collections.abc import Iterator, Mapping, Sequence

from warehouse.holdings.told import Told, told_once
from warehouse.identity import TrialKey

MOST_SHOWN = 15
# What warnings touch, worst first, and the words by which one is known to be of the kind. A warning without such words
# is told before those that touch markers or the file only: nobody has said that it is harmless.
KINDS: Mapping[str, tuple[str, ...]] = {
    "moments and forces": (
        "the plates",
        "force plate",
        "plate contact at",
        "stated mass",
        "mass stated",
        "weighs",
        "where its plates end",
        "body weight",
        "from one frame to the next",
        "muscle paths step",
        "are extrapolated",
    ),
    "strides": ("turns ", "left out: ", "too few to leave the stride out", "on an end of its range"),
    "body and angles": ("is known to ±", "expected at most", "sized model", "angles by laboratories"),
    "other": (),
    "markers": ("missing for", "were exchanged", "read as missing", "marker labels"),
    "recordings": ("OpenSim is asked", "header", "ANALOG:", "SUBJECT:", "EVENT:", "analog channel", "own events"),
}


def warning_lines(warnings: Mapping[TrialKey, Sequence[str]]) -> list[str]:
    """What to print of these trials' warnings; nothing if there are none."""
    told = told_once(warnings)
    if not told:
        return []
    with_any = sum(bool(texts) for texts in warnings.values())
    heading = f"warnings of {with_any} of {len(warnings)} trials that gave a result, worst first:"
    return [heading, *_listed(told, len(warnings))]


def kind_of(text: str, what: str = "") -> str:
    """What a warning touches; `what` of the trial it is about, "" for the trial itself."""
    said = f"{what} at {text}" if what else text
    return next((kind for kind, words in KINDS.items() if any(word in said for word in words)), "other")


def _listed(told: Sequence[Told], n_trials: int) -> Iterator[str]:
    by_kind = {kind: [one for one in told if kind_of(one.text, one.what) == kind] for kind in KINDS}
    left = MOST_SHOWN
    for kind, ones in by_kind.items():
        if ones[:left]:
            yield f"  {kind}"
            yield from (f"    {one.line(n_trials)}" for one in ones[:left])
            left -= len(ones[:left])
    if len(told) > MOST_SHOWN:
        yield f"  and {len(told) - MOST_SHOWN} more kinds: `gait2hip report` lists every warning by trial"
