"""The command line's commands, one a file. Read `common.py` first."""
