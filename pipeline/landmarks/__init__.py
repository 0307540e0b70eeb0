"""Bony landmarks: where they are on the built-in model's bones, and what laboratories call the markers over them.

Read `bony_places.py` first, then `recognise.py`, which reads labels, and `rigidity.py`, which asks the motion.
"""
