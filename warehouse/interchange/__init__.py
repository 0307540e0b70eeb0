"""Other people's formats in and out. An imported cycle is stored as a trial's. Read `store.py` first."""
