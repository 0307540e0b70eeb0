"""Published files in, stored trials out; releases and predictions in, files for other programs out.

Read `store.py` first: an imported cycle is stored as a trial's.
"""
