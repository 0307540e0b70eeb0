"""Schedules in `deploy.toml` in, flows that run by them out. Read `serve.py` first."""
