"""The guard that imported cohorts are whole: an import that was killed has stored some of its rows only."""

from collections import defaultdict
from collections.abc import Sequence, Set

from warehouse import read
from warehouse.contents import is_imported
from warehouse.errors import WarehouseError
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.release.selection import Trial


def refuse_partial_imports(warehouse: Warehouse, trials: Sequence[Trial], cohorts: Set[str]) -> None:
    """WarehouseError if an imported session of `cohorts` lacks trials that its row tells of, or has other files' ones.

    `trials` are all that are stored, rejected ones too: sessions' rows are stored before any trial, with their number.
    """
    stored = defaultdict(list)
    for trial in trials:
        stored[trial.key.session_key].append(trial)
    for account, row in read.rows(warehouse, "sessions", ["n_trials"]):
        if account.identity["cohort"] not in cohorts or not is_imported(account):
            continue
        files = account.made_from["imported"]
        members = stored[SessionKey(**account.identity)]
        n_of_them = sum(trial.account.made_from.get("imported") == files for trial in members)
        if len(members) != row["n_trials"] or n_of_them != len(members):
            raise WarehouseError(
                f"{account.owner}: {n_of_them} trials are stored of the {row['n_trials']} of {', '.join(sorted(files))}"
                f", and {len(members) - n_of_them} of other files: an import was interrupted. Run `gait2hip import` "
                "with those files again."
            )
