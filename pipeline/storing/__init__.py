"""Recordings to warehouse: what is stale is processed and stored. The only room here that knows the warehouse.

Read `store_trial.py` first.
"""
