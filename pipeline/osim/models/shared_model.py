"""One loaded model for all solves of a trial: reading an .osim file and building its system takes many frames' time.

The model in memory is shared, so nobody may change it; its working state is put into poses by whoever asks OpenSim.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.osim.arrays.functions import FunctionTable
from pipeline.osim.arrays.model_arrays import NO_MUSCLES, MuscleArrays, Skeleton
from pipeline.osim.arrays.read_model import read_muscles, read_skeleton
from pipeline.osim.arrays.unsupported import Unsupported
from pipeline.osim.models.model import ModelSummary, load_stiff_model, summarise

Answer = TypeVar("Answer")

# By its file's content, and one only: a worker takes one trial after another, most of them of one session, each with a
# copy of the subject's model in a folder of its own. A dozen steps of a trial ask; to compare takes a fifth of hashing.
_last: "list[tuple[bytes, SharedModel]]" = []


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SharedModel:
    """An initialised model, what it holds, and what it is as arrays.

    Its tendons are stiff, as static optimization supposes them, wherever their muscles' class has a stiff tendon.
    `readable` is the skeleton, or what of it arrays can't say.
    """

    model: osim.Model
    summary: ModelSummary
    readable: Skeleton | Unsupported
    muscles: MuscleArrays
    found: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def once(self, question: Hashable, answer: Callable[[], Answer]) -> Answer:
        """What `answer` gives, which follows from the model and the question alone: asked for once.

        It should not hold this model, which could not be forgotten then.
        """
        if question not in self.found:
            self.found[question] = answer()
        found: Answer = self.found[question]
        return found

    @property
    def skeleton(self) -> Skeleton:
        """The model without its muscles. TrialRejected("model", …) if arrays can't say it."""
        if isinstance(self.readable, Unsupported):
            raise TrialRejected(
                "model",
                f"model {self.summary.name}, {self.readable}: engine `exact`, and the balance of muscles and the joint "
                "loads by either engine, can't be computed with it. docs/engines.md lists what to put in its place.",
            )
        return self.readable

    @property
    def names(self) -> tuple[str, ...]:
        """The coordinates, in the model's order."""
        return tuple(coordinate.name for coordinate in self.summary.coordinates)


def shared_model(model_file: Path) -> SharedModel:
    """The model of this file, read again only if the last one asked for had another content.

    TrialRejected("model", …) if it can't be one.
    """
    if not model_file.is_file():
        raise TrialRejected("model", f"{model_file.name}: there is no such model file; pass an existing .osim file.")
    content = model_file.read_bytes()
    if not _last or _last[0][0] != content:
        _last.clear()
        _last.append((content, read_shared_model(model_file)))
    return _last[0][1]


def coordinate_ranges(model_file: Path) -> dict[str, tuple[float, float]]:
    """Each coordinate's range, radians or metres, infinite where it isn't clamped. TrialRejected if it is no model."""
    shared = shared_model(model_file)
    skeleton = shared.skeleton
    ends = zip(shared.names, skeleton.low, skeleton.high, strict=True)
    return {name: (float(low), float(high)) for name, low, high in ends}


def forget() -> None:
    """Drop the cached model; the next one is read from its file."""
    _last.clear()


def read_shared_model(model_file: Path) -> SharedModel:
    """`shared_model`, of a file that is read anew and not remembered."""
    model = load_stiff_model(model_file)
    table = FunctionTable()
    try:
        skeleton = read_skeleton(model, table)
    except Unsupported as found:
        return SharedModel(model=model, summary=summarise(model), readable=found, muscles=NO_MUSCLES)
    muscles = read_muscles(model, skeleton, table)
    # Points of muscles may slide by functions of their own.
    whole = replace(skeleton, tree=skeleton.tree._replace(functions=table.arrays()))
    return SharedModel(model=model, summary=summarise(model), readable=whole, muscles=muscles)
