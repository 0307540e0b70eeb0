"""Settings for engines under test: the packaged recipe's, with what a test changes."""

from pipeline.session.recipe import InverseKinematicsSettings, StaticOptimizationSettings, load_recipe


def ik_settings(accuracy: float) -> InverseKinematicsSettings:
    """Engine `tools` may stop at this accuracy."""
    return InverseKinematicsSettings(ik_accuracy=accuracy)


def effort_settings(**changes: object) -> StaticOptimizationSettings:
    """The packaged recipe's static optimization with these settings instead; an unknown one raises."""
    packaged = load_recipe("gait2hip60").static_optimization
    return StaticOptimizationSettings.model_validate(packaged.model_dump() | changes)
