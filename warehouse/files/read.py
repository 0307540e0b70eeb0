"""Reading from the warehouse: every file is checked to be ours, whole, and whose it should be."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.channels import INPUT_COORDINATES, ipsilateral
from warehouse.errors import MissingFile, WarehouseError
from warehouse.files import storage
from warehouse.files.parallel import map_in_order
from warehouse.files.seal import NOT_AS_STORED, check_sha256, is_as_sealed
from warehouse.identity import SessionKey, TrialKey
from warehouse.layout import Warehouse, identity, scaled_model_path, table_directory, table_path, trials_directory
from warehouse.metadata import Stored, from_metadata
from warehouse.schemas import schema_of

# What a session's row calls its scaled model among the files it vouches for.
SCALED_MODEL = "scaled_model"
# The stored name of each input, and its name when every cycle is read as a right leg's.
_AS_RIGHT: dict[str, str] = {ipsilateral(name): name for name in INPUT_COORDINATES}


def peek(warehouse: Warehouse, path: str) -> Stored:
    """One file's account of itself, without its data. MissingFile or WarehouseError if it can't be read."""
    with storage.describe_os_errors("read", path), warehouse.filesystem.open_input_file(path) as source:
        try:
            metadata = pq.read_metadata(source).metadata
        except (pa.ArrowException, OSError, ValueError) as error:
            raise WarehouseError(f"{path} is not a whole Parquet file: {_advice(error)}") from error
        return from_metadata(path, metadata)


def stored(warehouse: Warehouse, table: str, key: SessionKey) -> Stored:
    """The account of the table's file for this key: provenance, recipe, identity, summary."""
    path = _path(warehouse, table, key)
    return _checked(peek(warehouse, path), table, key, path)


def is_fresh(warehouse: Warehouse, table: str, key: SessionKey, provenance_key: str) -> bool:
    """Whether the stored file has this provenance key. A missing or damaged file is not fresh."""
    try:
        return stored(warehouse, table, key).key == provenance_key
    except WarehouseError:
        return False


def read_table(warehouse: Warehouse, table: str, key: SessionKey, columns: Sequence[str] | None = None) -> pa.Table:
    """One file of a table, all columns or those named, in that order, with units and meanings in the fields.

    A column that was added to the table later is NaN throughout where the file lacks it. MissingFile if it was never
    stored, WarehouseError if it is damaged, foreign or of another format, ValueError for a column it does not have.
    """
    path = _path(warehouse, table, key)
    file, account = _opened(warehouse, path)
    _checked(account, table, key, path)
    return _selected(file, path, table, columns)


def read_row(warehouse: Warehouse, table: str, key: SessionKey) -> dict[str, object]:
    """The one row of a subject, session or trial as plain values, None where not known."""
    row: dict[str, object] = read_table(warehouse, table, key).to_pylist()[0]
    return row


def read_scaled_model(warehouse: Warehouse, key: SessionKey) -> str:
    """The session's scaled model, as OpenSim's XML. WarehouseError if it isn't the one that the session's row is of."""
    path = scaled_model_path(warehouse, key)
    content = _vouched_model(warehouse, key, path)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise WarehouseError(f"{path} is damaged: {NOT_AS_STORED}") from error


def _vouched_model(warehouse: Warehouse, key: SessionKey, path: str) -> bytes:
    def read_and_checked() -> bytes:
        vouched = stored(warehouse, "sessions", key).vouches.get(SCALED_MODEL)
        content = storage.read_bytes(warehouse, path)
        check_sha256(path, content, vouched)
        return content

    try:
        return read_and_checked()
    except WarehouseError:
        # The session may have been stored anew between the two.
        return read_and_checked()


def check_file(warehouse: Warehouse, table: str, path: str) -> Stored:
    """Read all of a table's file and give its account. MissingFile or WarehouseError if it isn't what was stored."""
    file, account = _opened(warehouse, path)
    _check_place(warehouse, table, path, account)
    _selected(file, path, table, None)
    return account


def read_accounts(warehouse: Warehouse, table: str) -> tuple[list[Stored], list[str]]:
    """The account of every readable file of a table, sorted by identity, and a message for each of the others."""
    paths = storage.files_under(warehouse, table_directory(warehouse, table))
    results = list(map_in_order(lambda path: _account_or_problem(warehouse, table, path), paths))
    accounts = [item for item in results if isinstance(item, Stored)]
    problems = [item for item in results if isinstance(item, str)]
    return sorted(accounts, key=lambda account: tuple(account.identity.values())), problems


def rows(
    warehouse: Warehouse, table: str, columns: Sequence[str] | None = None
) -> list[tuple[Stored, dict[str, object]]]:
    """Every file of a one-row table as its account and its row (whole, or the columns named), sorted by identity.

    WarehouseError names every file that can't be read.
    """
    paths = storage.files_under(warehouse, table_directory(warehouse, table))
    results = list(map_in_order(lambda path: _row_or_problem(warehouse, table, path, columns), paths))
    problems = [item for item in results if isinstance(item, str)]
    if problems:
        raise WarehouseError("\n".join(problems))
    pairs = [item for item in results if item is not None and not isinstance(item, str)]
    return sorted(pairs, key=lambda pair: tuple(pair[0].identity.values()))


def rows_of_trials(warehouse: Warehouse, key: SessionKey) -> list[dict[str, object]]:
    """The rows of a session's trials, sorted, without any that can't be read."""
    paths = storage.files_under(warehouse, trials_directory(warehouse, key))
    found = map_in_order(lambda path: _row_or_problem(warehouse, "trials", path, None), paths)
    return [item[1] for item in found if isinstance(item, tuple)]


def trials(warehouse: Warehouse) -> list[Stored]:
    """Every stored trial's account, accepted or rejected. WarehouseError if one can't be read."""
    accounts, problems = read_accounts(warehouse, "trials")
    if problems:
        raise WarehouseError("\n".join(problems))
    return accounts


def trial_key(account: Stored) -> TrialKey:
    """The trial that a file of a table kept per trial belongs to."""
    return TrialKey(**account.identity)


def cycles(
    warehouse: Warehouse,
    *,
    columns: Sequence[str] | None = None,
    cohort: str | None = None,
    subjects: Collection[str] | None = None,
    conditions: Collection[str] | None = None,
) -> pa.Table:
    """All gait cycles of accepted trials in long form, sorted by cohort, subject, session, trial.

    None selects all. Only files that an accepted trial's row vouches for are read: WarehouseError if such a file is
    missing or was made by another run.
    """
    accounts = trials_with_cycles(warehouse, cohort=cohort, subjects=subjects, conditions=conditions)
    parts = list(map_in_order(lambda trial: read_trial_cycles(warehouse, trial, columns), accounts))
    return pa.concat_tables(parts) if parts else _no_cycles(columns)


def trials_with_cycles(
    warehouse: Warehouse,
    *,
    cohort: str | None = None,
    subjects: Collection[str] | None = None,
    conditions: Collection[str] | None = None,
) -> list[Stored]:
    """The accounts of accepted trials that have a gait cycle, sorted. None selects all."""
    return [trial for trial in trials(warehouse) if _wanted(trial, cohort, subjects, conditions)]


def cycles_as_right(
    warehouse: Warehouse,
    *,
    columns: Sequence[str] | None = None,
    cohort: str | None = None,
    subjects: Collection[str] | None = None,
    conditions: Collection[str] | None = None,
) -> pa.Table:
    """`cycles` with every cycle read as a right leg's: inputs are named `hip_flexion_r` and so on.

    `columns` uses these names too. `side` still says which leg was measured.
    """
    stored_names = {right: name for name, right in _AS_RIGHT.items()}
    wanted = None if columns is None else [stored_names.get(name, name) for name in columns]
    return as_right(cycles(warehouse, columns=wanted, cohort=cohort, subjects=subjects, conditions=conditions))


def as_right(cycles: pa.Table) -> pa.Table:
    """Rename the inputs of stored cycles as if every cycle were a right leg's; `side` still says which leg it was."""
    return cycles.rename_columns([_AS_RIGHT.get(name, name) for name in cycles.column_names])


def read_trial_cycles(warehouse: Warehouse, trial: Stored, columns: Sequence[str] | None = None) -> pa.Table:
    """One accepted trial's cycles, given its row's account. WarehouseError if missing or made by another run."""
    key = trial_key(trial)
    path = _path(warehouse, "cycles", key)
    file, account = _opened(warehouse, path)
    # One stage writes both files under one key: if the keys differ, a run was killed between them.
    if _checked(account, "cycles", key, path).key != trial.key:
        raise WarehouseError(
            f"the cycles of {trial.owner} were not made by the run that its row in trials tells of. "
            "If a run is storing it just now, try again; else run `gait2hip ingest` on its session to finish what "
            "was interrupted."
        )
    return _selected(file, path, "cycles", columns)


def lacks(warehouse: Warehouse, trial: Stored, columns: Collection[str]) -> bool:
    """Whether an accepted trial's cycles were stored without any of these columns, which reading fills with NaN."""
    file, _ = _opened(warehouse, _path(warehouse, "cycles", trial_key(trial)))
    return not set(columns) & set(file.schema_arrow.names)


def _account_or_problem(warehouse: Warehouse, table: str, path: str) -> Stored | str | None:
    try:
        account = peek(warehouse, path)
        _check_place(warehouse, table, path, account)
        return account
    except MissingFile:
        return None  # Removed by another process since it was listed.
    except WarehouseError as error:
        return str(error)


def _row_or_problem(
    warehouse: Warehouse, table: str, path: str, columns: Sequence[str] | None
) -> tuple[Stored, dict[str, object]] | str | None:
    try:
        file, account = _opened(warehouse, path)
        _check_place(warehouse, table, path, account)
        return account, _selected(file, path, table, columns).to_pylist()[0]
    except MissingFile:
        return None  # Removed by another process since it was listed.
    except WarehouseError as error:
        return str(error)


def _wanted(
    trial: Stored, cohort: str | None, subjects: Collection[str] | None, conditions: Collection[str] | None
) -> bool:
    return (
        trial.summary["outcome"] == "accepted"
        and trial.summary["n_cycles_right"] + trial.summary["n_cycles_left"] > 0
        and (cohort is None or trial.identity["cohort"] == cohort)
        and (subjects is None or trial.identity["subject"] in subjects)
        and (conditions is None or trial.summary["condition"] in conditions)
    )


def _no_cycles(columns: Sequence[str] | None) -> pa.Table:
    empty = pa.schema([column.field() for column in schema_of("cycles").fixed]).empty_table()
    return empty if columns is None else empty.select(list(columns))


def _path(warehouse: Warehouse, table: str, key: SessionKey) -> str:
    return table_path(warehouse, table, schema_of(table).level, key)


def _key(account: Stored) -> SessionKey:
    # A subject's file is shared by all of their sessions.
    who = {"session": "any", **account.identity}
    try:
        return TrialKey(**who) if "trial" in who else SessionKey(**who)
    except (TypeError, ValueError) as error:
        raise WarehouseError(f"a file of table {account.table!r} has a damaged identity: {error}.") from error


def _check_place(warehouse: Warehouse, table: str, path: str, account: Stored) -> None:
    _checked(account, table, _key(account), path)
    if path != table_path(warehouse, table, schema_of(table).level, _key(account)):
        raise WarehouseError(f"{path} belongs to {account.owner}: it was moved or renamed.")


def _checked(account: Stored, table: str, key: SessionKey, path: str) -> Stored:
    expected = identity(schema_of(table).level, key)
    if account.table != table or account.identity != expected:
        raise WarehouseError(
            f"{path} holds {account.table} of {account.owner}, expected {table} of "
            f"{'/'.join(expected.values())}: it was moved or renamed. Remove it and ingest its session again."
        )
    return account


def _opened(warehouse: Warehouse, path: str) -> tuple[pq.ParquetFile, Stored]:
    content = storage.read_bytes(warehouse, path)
    is_whole = is_as_sealed(content)
    try:
        # The pages' own checksums are what there is in files of earlier versions.
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        metadata = file.metadata.metadata
    # A damaged name is no UTF-8, which pyarrow does not call an error of its own.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise WarehouseError(f"{path} is not a whole Parquet file: {_advice(error)}") from error
    # Another version's checksum may be another one.
    account = from_metadata(path, metadata)
    if account.is_sealed and not is_whole:
        raise WarehouseError(f"{path} is damaged: {NOT_AS_STORED}")
    return file, account


def _selected(file: pq.ParquetFile, path: str, name: str, columns: Sequence[str] | None) -> pa.Table:
    try:
        # A trial's tables are small: handing their columns to threads takes longer than reading them.
        table = file.read(columns=columns, use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise WarehouseError(f"{path} is damaged: {_advice(error)}") from error
    for column in schema_of(name).columns:
        if column.later and column.name not in table.column_names and (columns is None or column.name in columns):
            table = table.append_column(column.field(), pa.array(np.full(file.metadata.num_rows, np.nan)))
    if columns is None:
        fixed = [column.name for column in schema_of(name).fixed if column.name in table.column_names]
        table = table.select([*fixed, *(column for column in table.column_names if column not in fixed)])
    else:
        # Parquet skips unknown names silently.
        present = set(table.column_names)
        lacking = [name for name in columns if name not in present]
        if lacking:
            raise ValueError(f"{path} has no column {', '.join(map(repr, lacking))}.")
        table = table.select(list(columns))
    return table.replace_schema_metadata(None)


def _advice(error: Exception) -> str:
    return f"{error}. Remove it and ingest its session again."
