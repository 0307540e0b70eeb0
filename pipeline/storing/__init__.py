"""Recordings to warehouse: what is stale is processed and stored. The only room here that knows the warehouse.

Read `ingest_trial.py` first.
"""
