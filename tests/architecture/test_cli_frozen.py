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
    "virtual": {"DIR", "--subjects", "--conditions", "--trials", "--cohort", "--seed", "--blemishes"},
    "inspect": {"FILE", "--export"},
    "status": {"--warehouse"},
    "report": {"--warehouse", "--output", "-o", "--title"},
    "release": {
        "--warehouse",
        "--name",
        "--cohort",
        "--condition",
        "--subject",
        "--recipe",
        "--points",
        "--sides",
        "--holdout",
        "--holdout-fraction",
        "--seed",
        "--licence",
    },
    "export": {"RELEASE", "--format", "--output", "-o"},
    "import": {"LAYOUT", "--warehouse", "--npz", "--archive", "--subjects", "--cohort"},
    "verify": {"SESSION", "--trial", "--recipe", "--model"},
}
REQUIRED: dict[str, set[str]] = {
    "init-session": {"DIR", "--subject"},
    "ingest": {"SESSION", "--warehouse"},
    "virtual": {"DIR", "--subjects"},
    "inspect": {"FILE"},
    "status": {"--warehouse"},
    "report": {"--warehouse", "--output", "-o"},
    "release": {"--warehouse", "--name"},
    "export": {"RELEASE", "--output", "-o"},
    "import": {"LAYOUT", "--warehouse"},
    "verify": {"SESSION"},
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
