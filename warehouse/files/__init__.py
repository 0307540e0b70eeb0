"""Columns in, whole files out, and back, on local disks and object stores. Read `write.py` first, then `read.py`."""
