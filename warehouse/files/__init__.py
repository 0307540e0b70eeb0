"""Columns in, whole files out, and back: local disks and object stores. Read `read.py` first."""
