"""The virtual laboratory: a request in, recordings of people who never were, and the truth, out.

Read `make_laboratory.py` first.
"""
