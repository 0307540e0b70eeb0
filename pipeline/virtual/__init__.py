"""The virtual laboratory: a request in, recordings of people who don't exist, and the truth, out.

Read `make_laboratory.py` first.
"""
