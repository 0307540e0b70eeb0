"""Sessions in, outcomes out: what `ingest` and `regenerate` do. Read `run_ingest.py` first."""
