"""Which slice of the recipe each stage reads, what it builds on, and its version: what decides that a result is stale.

Raise a stage's version when its code changes a number it writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.recipe import Recipe
from warehouse.provenance import stage_key

# Which stage's key each of a trial's tables carries. Muscle forces are stored for those strides that pass the quality
# gates, so they change with the gates too.
STAGE_OF_TABLE: dict[str, str] = {
    "kinematics": "inverse_kinematics",
    "grf": "ground_reactions",
    "moments": "inverse_dynamics",
    "forces": "quality",
    "activations": "quality",
    "cycles": "quality",
    "trials": "quality",
}
# The key of a rejection that the next run should try again: no stage's key is ever this.
RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: the recipe's sections it reads, the facts of the session it uses, the stages it builds on."""

    version: int
    sections: tuple[str, ...]
    facts: tuple[str, ...]
    inputs: tuple[str, ...] = ()


STAGES: dict[str, Stage] = {
    "scaling": Stage(version=1, sections=("scaling", "engine"), facts=("model", "profile", "static", "mass_kg")),
    "session": Stage(version=1, sections=(), facts=("subject", "static_name", "n_trials"), inputs=("scaling",)),
    "inverse_kinematics": Stage(
        version=1,
        sections=("markers", "inverse_kinematics", "engine"),
        facts=("trial", "profile"),
        inputs=("scaling",),
    ),
    # The static pose tells which of the walk's labels were exchanged, and so where the feet are.
    "ground_reactions": Stage(
        version=1,
        sections=("markers", "scaling", "ground_reactions"),
        facts=("trial", "profile", "static", "mass_kg"),
    ),
    "inverse_dynamics": Stage(
        version=1,
        sections=("inverse_dynamics", "feet", "engine"),
        facts=(),
        inputs=("inverse_kinematics", "ground_reactions"),
    ),
    "static_optimization": Stage(version=1, sections=("static_optimization",), facts=(), inputs=("inverse_dynamics",)),
    "quality": Stage(
        version=1,
        sections=("quality", "cycles"),
        facts=("height_m", "condition"),
        inputs=("static_optimization",),
    ),
}


def stage_keys(recipe: Recipe, facts: Mapping[str, object], opensim_version: str) -> dict[str, str]:
    """The provenance key of every stage whose facts are all given, in the order of `STAGES`."""
    sections = {
        **{name: value for name, value in recipe.model_dump().items() if isinstance(value, dict)},
        "engine": recipe.model.engine,
        "feet": (recipe.model.right_foot_body, recipe.model.left_foot_body),
    }
    keys: dict[str, str] = {}
    for name, stage in STAGES.items():
        if all(fact in facts for fact in stage.facts) and all(needed in keys for needed in stage.inputs):
            keys[name] = stage_key(
                name,
                stage.version,
                {
                    "recipe": {section: sections[section] for section in stage.sections},
                    "facts": {fact: facts[fact] for fact in stage.facts},
                    "inputs": {needed: keys[needed] for needed in stage.inputs},
                    "opensim": opensim_version,
                },
            )
    return keys


def common_facts(recipe: Recipe, opensim_version: str) -> dict[str, object]:
    """What made a result and must be the same for all that is learnt from together: no training on mixed data.

    The recipe's settings, the versions of the stages' code, the simulator's version.
    """
    settings = {name: value for name, value in recipe.model_dump().items() if isinstance(value, dict)}
    # Where the model's file lies says nothing about it: the hash of its content is in its session's row.
    settings["model"] = {name: value for name, value in settings["model"].items() if name != "file"}
    versions = {name: stage.version for name, stage in STAGES.items()}
    return {"settings": settings, "versions": versions, "opensim": opensim_version}


def table_keys(keys: Mapping[str, str]) -> dict[str, str]:
    """The provenance key that each of a trial's tables carries, by table, from those of its stages."""
    return {table: keys[stage] for table, stage in STAGE_OF_TABLE.items()}
