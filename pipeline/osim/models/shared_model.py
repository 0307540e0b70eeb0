"""One loaded model for all solves of a trial: reading an .osim file and building its system takes as long as 30 frames.

The model in memory is shared, so nobody may change it; its working state is put into poses by whoever uses it.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.osim.models.couplers import Couplers
from pipeline.osim.models.model import ModelSummary, load_stiff_model, summarise
from pipeline.osim.models.poses import Poses


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
    """The model of this file, read again only if the last one asked for was another or the file has changed.

    TrialRejected("model", …) if it can't be one, or is constrained by other things than coordinate couplers.
    """
    if not model_file.is_file():
        raise TrialRejected("model", f"{model_file.name}: there is no such model file; pass an existing .osim file.")
    stat = model_file.stat()
    return _load(model_file.resolve(), stat.st_mtime_ns, stat.st_size)


def forget() -> None:
    """Let go of the model in memory; the next one is read from its file."""
    _load.cache_clear()


# One only: a worker process solves one trial after another, each with its subject's model.
@lru_cache(maxsize=1)
def _load(model_file: Path, _mtime_ns: int, _size: int) -> SharedModel:
    model = load_stiff_model(model_file)
    poses = Poses(model)
    return SharedModel(model=model, summary=summarise(model), poses=poses, couplers=Couplers(model, poses.names))
