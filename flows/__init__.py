"""The operations room: the command line, worker processes, Prefect flows. Read `cli.py` first."""
