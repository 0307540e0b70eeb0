"""Whether imported cohorts are complete: an import that was killed has stored only some of its trials."""

from collections import defaultdict
from collections.abc import Sequence

from warehouse.files import read
from warehouse.holdings.contents import is_imported
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.metadata import Stored


def partial_imports(warehouse: Warehouse, trials: Sequence[Stored]) -> list[str]:
    """A message for each imported session that lacks trials, or holds trials of other files.

    `trials` are the accounts of all trials of the cohorts to be checked, rejected ones included. A session's row is
    stored before its trials and counts them. A cohort without any stored trial is not checked. WarehouseError if a
    session's row can't be read.
    """
    cohorts = {trial.identity["cohort"] for trial in trials if is_imported(trial)}
    if not cohorts:
        return []
    stored = defaultdict(list)
    for trial in trials:
        stored[read.trial_key(trial).session_key].append(trial)
    problems = []
    for account, row in read.rows(warehouse, "sessions", ["n_trials"]):
        if account.identity["cohort"] not in cohorts or not is_imported(account):
            continue
        files = account.made_from["imported"]
        members = stored[SessionKey(**account.identity)]
        n_of_them = sum(trial.made_from.get("imported") == files for trial in members)
        if len(members) != row["n_trials"] or n_of_them != len(members):
            problems.append(
                f"{account.owner}: {n_of_them} trials are stored of the {row['n_trials']} of {', '.join(sorted(files))}"
                f", and {len(members) - n_of_them} of other files: an import was interrupted. Run `gait2hip import` "
                "with those files again."
            )
    return problems
