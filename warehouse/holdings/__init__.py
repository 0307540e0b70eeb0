"""A warehouse in; what it holds, where it came from and how it differs from another out. Read `contents.py` first."""
