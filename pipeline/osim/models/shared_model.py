"""One loaded model for all solves of a trial: reading an .osim file and building its system takes as long as 30 frames.

The model in memory is shared, so nobody may change it; its working state is put into poses by whoever uses it.
"""

from dataclasses import dataclass
from pathlib import Path

import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.osim.models.couplers import Couplers
from pipeline.osim.models.model import ModelSummary, load_stiff_model, summarise
from pipeline.osim.models.poses import Poses
from warehouse.provenance import file_sha256

# By its file's hash, and one only: a worker takes one trial after another, most of them of one session, each with a
# copy of the subject's model in a folder of its own.
_last: "dict[str, SharedModel]" = {}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SharedModel:
    """An initialised model, what it holds, and how it is posed.

    Its tendons are stiff, as static optimization supposes them, wherever their muscles' class has a stiff tendon.
    """

    model: osim.Model
    summary: ModelSummary
    poses: Poses
    couplers: Couplers

    @property
    def names(self) -> tuple[str, ...]:
        """The coordinates, in the model's order."""
        return self.poses.names

    def free(self) -> list[int]:
        """Which coordinates move by themselves: neither held by the model nor coupled to others."""
        return [
            i
            for i, coordinate in enumerate(self.summary.coordinates)
            if not coordinate.locked and i not in self.couplers.dependent
        ]


def shared_model(model_file: Path) -> SharedModel:
    """The model of this file, read again only if the last one asked for had another content.

    TrialRejected("model", …) if it can't be one, or is constrained by other things than coordinate couplers.
    """
    if not model_file.is_file():
        raise TrialRejected("model", f"{model_file.name}: there is no such model file; pass an existing .osim file.")
    content = file_sha256(model_file)
    if content not in _last:
        _last.clear()
        _last[content] = _load(model_file)
    return _last[content]


def forget() -> None:
    """Drop the cached model; the next one is read from its file."""
    _last.clear()


def _load(model_file: Path) -> SharedModel:
    model = load_stiff_model(model_file)
    poses = Poses(model)
    return SharedModel(model=model, summary=summarise(model), poses=poses, couplers=Couplers(model, poses.names))
