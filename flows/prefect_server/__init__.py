"""Prefect made ready: offline, quiet, ending with its run. Read `local_prefect.py` first."""
