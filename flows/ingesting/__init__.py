"""Sessions in, outcomes out: what `ingest` and `regenerate` do. Read `plan.py` first, then `run_plan.py`."""
