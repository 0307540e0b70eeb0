"""What stored trials tell a person, said once: warnings and rejections that differ in figures or names only.

"the zero of hip_flexion_r is known to ± 6.2 degree" and the same of hip_flexion_l and 6.9 are one sentence over trials,
"the zero of hip_flexion_r, hip_flexion_l is known to ± 6.2-6.9 degree". The whole text of each stays in table `trials`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from warehouse.errors import WarehouseError
from warehouse.files.parallel import map_in_order
from warehouse.files.read import read_table
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

_FILE = r"\S+\.(?:c3d|C3D|trc|mot|sto)\b"
# A coordinate's, a setting's or a marker's name.
_NAME = r"(?:[A-Za-z]+_\w+|[A-Z][A-Z0-9]+)\b"
_NUMBER = r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?![\w])"
_VARIES = re.compile(rf"(?P<names>(?:{_FILE}|{_NAME})(?:, (?:{_FILE}|{_NAME}))*)|(?P<number>{_NUMBER})")
_PLACE = re.compile(
    rf"^(?P<what>stride|plate contact)(?: \d+ of the (?:right|left) foot \({_NUMBER}-{_NUMBER} s\)| at {_NUMBER} s)"
    r"(?:: | is (?=left out: ))"
)
_OWN_FILE = re.compile(rf"^{_FILE}: ")
_NAMES_SHOWN = 6
_TRIALS_SHOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One sentence that holds for several trials, `n_times` in all; of what of a trial, "" if of the trial itself."""

    text: str
    trials: tuple[TrialKey, ...]
    n_times: int
    what: str

    def line(self, n_of: int) -> str:
        """Of how many of the trials it is true, the sentence, and of which, unless it is all: `7 of 9 trials: ...`."""
        often = f", {self.n_times} {self.what or 'time'}s" if self.n_times > len(self.trials) else ""
        named = "" if len(self.trials) == n_of > 1 else f" ({_first(list(map(str, self.trials)), _TRIALS_SHOWN)})"
        return f"{len(self.trials)} of {n_of} trial{'' if n_of == 1 else 's'}{often}: {self.text}{named}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedAlike:
    """Trials that one stage rejected for one reason, without their files' names where there are several."""

    trials: tuple[TrialKey, ...]
    stage: str
    reason: str

    @property
    def names(self) -> str:
        """The trials, their session said once if they have one."""
        if len({trial.session_key for trial in self.trials}) > 1 or len(self.trials) == 1:
            return _first(list(map(str, self.trials)), _NAMES_SHOWN)
        first = self.trials[0]
        names = _first([trial.trial for trial in self.trials], _NAMES_SHOWN)
        return f"{len(self.trials)} of {first.cohort}/{first.subject}/{first.session}: {names}"


def rejected_once(rejections: Iterable[tuple[TrialKey, str, str]]) -> list[RejectedAlike]:
    """Rejected trials with stage and reason, those of the same reason as one, in the order in which they come."""
    alike: dict[tuple[str, str], list[tuple[TrialKey, str]]] = defaultdict(list)
    for trial, stage, reason in rejections:
        alike[stage, _OWN_FILE.sub("", reason)].append((trial, reason))
    return [
        RejectedAlike(
            trials=tuple(trial for trial, _ in found),
            stage=stage,
            reason=found[0][1] if len(found) == 1 else reason,
        )
        for (stage, reason), found in alike.items()
    ]


def stored_warnings(warehouse: Warehouse, trials: Sequence[TrialKey]) -> dict[TrialKey, tuple[str, ...]]:
    """The warnings of these trials; a trial whose row can't be read any more has none."""

    def read(trial: TrialKey) -> tuple[str, ...]:
        try:
            return tuple(read_table(warehouse, "trials", trial, ["warnings"])["warnings"][0].as_py() or ())
        except WarehouseError:
            return ()

    return dict(zip(trials, map_in_order(read, trials), strict=True))


def told_once(texts: Mapping[TrialKey, Iterable[str]]) -> list[Told]:
    """The texts of all trials, those alike as one; told of most trials first."""
    alike: dict[str, list[tuple[TrialKey, str, str]]] = defaultdict(list)
    for trial, sentences in texts.items():
        for sentence in sentences:
            for clause in _clauses(sentence):
                place = _PLACE.match(clause)
                key = _pattern(clause[place.end() :]) if place else _pattern(clause)
                alike[f"{place['what'] if place else ''} {key}"].append((trial, place["what"] if place else "", clause))
    told = [_as_one(found) for found in alike.values()]
    return sorted(told, key=lambda one: -len(one.trials))


def _clauses(sentence: str) -> list[str]:
    """A list of the same about several markers, say, as its parts; anything else as it is."""
    parts = sentence.split("; ")
    return parts if len({_pattern(part) for part in parts}) == 1 else [sentence]


def _pattern(text: str) -> str:
    return _VARIES.sub(lambda match: "<name>" if match["names"] else "<number>", text)


def _as_one(found: Sequence[tuple[TrialKey, str, str]]) -> Told:
    trials = tuple(dict.fromkeys(trial for trial, _, _ in found))
    texts = [text for _, _, text in found]
    what = found[0][1]
    if what and len(texts) > 1:
        texts = [_PLACE.sub("", text) for text in texts]
    return Told(text=_merged(texts), trials=trials, n_times=len(texts), what=what)


def _merged(texts: Sequence[str]) -> str:
    """One text for all, which differ in names and figures only: the names all, the figures from least to largest."""
    slots = zip(*([match for match in _VARIES.finditer(text)] for text in texts), strict=True)
    merged = [_one_slot(slot) for slot in slots]
    return _VARIES.sub(lambda _: merged.pop(0), texts[0])


def _one_slot(slot: Sequence[re.Match[str]]) -> str:
    if slot[0]["names"]:
        return _first(list(dict.fromkeys(name for match in slot for name in match[0].split(", "))), _NAMES_SHOWN)
    figures = sorted({match[0] for match in slot}, key=float)
    if len(figures) == 1:
        return figures[0]
    return f"{figures[0]} to {figures[-1]}"


def _first(names: Sequence[str], shown: int) -> str:
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
