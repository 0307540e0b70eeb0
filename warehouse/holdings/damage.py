"""Everything that is stored, read to its last byte: which files are not what was stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from warehouse.errors import MissingFile, WarehouseError
from warehouse.files import storage
from warehouse.files.parallel import map_in_order
from warehouse.files.read import SCALED_MODEL, check_file, read_accounts, read_scaled_model
from warehouse.holdings.runs import damaged_runs
from warehouse.holdings.sources import damaged_sources, read_sources, remember_source
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse, relative, scaled_model_path, table_directory
from warehouse.schemas import SCHEMAS

_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What reading everything found: how many tables and models, why which files are damaged, by path.

    `n_unsealed` tables and models were stored before files had checksums: of tables, the pages' own were verified.
    `replaceable` files are damaged, but cost nothing: runs, which serve estimates, and sources, which have copies.
    """

    n_files: int
    n_unsealed: int
    damaged: dict[str, str]
    replaceable: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damaged and not self.replaceable


def verify_warehouse(warehouse: Warehouse, damaged_releases: Mapping[str, str]) -> Verified:
    """Read every table, scaled model, source and run of a warehouse; of its releases, it is said which are damaged."""
    damaged: dict[str, str] = {}
    n_files = n_unsealed = 0
    for path, problem, is_sealed in (*_tables(warehouse), *_models(warehouse)):
        n_files += 1
        n_unsealed += not problem and not is_sealed
        if problem:
            damaged[path] = problem
    replaceable = (*damaged_sources(warehouse), *damaged_runs(warehouse))
    return Verified(
        n_files=n_files, n_unsealed=n_unsealed, damaged={**damaged, **damaged_releases}, replaceable=replaceable
    )


def replace_damaged(warehouse: Warehouse, found: Verified) -> None:
    """Write damaged sources again from their copies, and remove damaged runs, which nothing can tell any more."""
    if not found.replaceable:
        return
    for source in read_sources(warehouse):
        remember_source(warehouse, source)
    for path in damaged_runs(warehouse):
        storage.remove(warehouse, path)


def verified_in_words(warehouse: Warehouse, found: Verified) -> str:
    """What was verified, and the damaged files by name."""
    older = f"; {found.n_unsealed} stored before files had checksums are not verified" if found.n_unsealed else ""
    names = [relative(warehouse, path) for path in (*found.damaged, *found.replaceable)]
    more = [f"  … and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    head = f"{found.n_files} tables and models read, and all releases, sources and runs: {len(names)} damaged{older}"
    return "\n".join([head, *(f"  {name}" for name in names[:_SHOWN]), *more])


def _tables(warehouse: Warehouse) -> Iterator[tuple[str, str, bool]]:
    for table in SCHEMAS:
        paths = storage.files_under(warehouse, table_directory(warehouse, table))

        def look(path: str, table: str = table) -> tuple[str, str, bool] | None:
            try:
                return path, "", check_file(warehouse, table, path).is_sealed
            except MissingFile:
                return None  # Replaced by another process since it was listed.
            except WarehouseError as error:
                return path, str(error), True

        yield from (found for found in map_in_order(look, paths) if found is not None)


def _models(warehouse: Warehouse) -> Iterator[tuple[str, str, bool]]:
    sessions, _ = read_accounts(warehouse, "sessions")
    for account in sessions:
        key = SessionKey(**account.identity)
        try:
            read_scaled_model(warehouse, key)
        except MissingFile:
            continue  # Imported, or told as missing.
        except WarehouseError as error:
            yield scaled_model_path(warehouse, key), str(error), True
        else:
            yield scaled_model_path(warehouse, key), "", SCALED_MODEL in account.vouches
