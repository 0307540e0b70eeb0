"""The science room: pure functions from raw recordings to records. Read `process_trial.py` first."""
