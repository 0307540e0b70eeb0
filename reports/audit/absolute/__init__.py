"""What needs no others: limits from physiology and publications, for cycles and for what only the warehouse holds.

In: cycles of a group, or stored trials. Out: verdicts. Read `physiology.py` first.
"""
