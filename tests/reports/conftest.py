"""The made-up warehouse of tests/warehouse, to be audited and drawn."""

from tests.warehouse.conftest import key, store_trial, warehouse

__all__ = ["key", "store_trial", "warehouse"]
