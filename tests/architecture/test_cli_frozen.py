"""Commands and flags are what people's scripts are made of: a change here is a change for them."""

import typer

from flows.cli import app

COMMANDS: dict[str, set[str]] = {
    "init-session": {
        "DIR",
        "--subject",
        "--mass-kg",
        "--height-m",
        "--sex",
        "--age-y",
        "--cohort",
        "--profile",
        "--static",
        "--condition",
        "--output",
        "-o",
    },
    "ingest": {"SESSION", "--warehouse", "--recipe", "--model", "--workers"},
    "inspect": {"FILE", "--export"},
    "status": {"--warehouse"},
    "train": {"RELEASE", "--out", "-o", "--model", "--task", "--protocol", "--recipe", "--device"},
    "evaluate": {"RUN", "RELEASE", "--out", "-o", "--device"},
    "report": {"--warehouse", "--output", "-o", "--title"},
}
REQUIRED: dict[str, set[str]] = {
    "init-session": {"DIR", "--subject"},
    "ingest": {"SESSION", "--warehouse"},
    "inspect": {"FILE"},
    "status": {"--warehouse"},
    "train": {"RELEASE", "--out", "-o", "--model", "--task"},
    "evaluate": {"RUN", "RELEASE"},
    "report": {"--warehouse", "--output", "-o"},
}


def _names(parameter: object) -> set[str]:
    if parameter.param_type_name == "argument":  # type: ignore[attr-defined]
        return {parameter.metavar}  # type: ignore[attr-defined]
    return {*parameter.opts, *parameter.secondary_opts}  # type: ignore[attr-defined]


def test_commands_and_their_flags_are_frozen() -> None:
    group = typer.main.get_command(app)

    found = {
        name: set().union(*(_names(parameter) for parameter in command.params))
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }

    assert found == COMMANDS


def test_what_must_be_given_is_frozen() -> None:
    group = typer.main.get_command(app)

    found = {
        name: set().union(*(_names(parameter) for parameter in command.params if parameter.required))
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }

    assert found == REQUIRED


def test_the_program_itself_takes_only_version() -> None:
    group = typer.main.get_command(app)

    assert set().union(*(_names(parameter) for parameter in group.params)) == {"--version"}
