"""A warehouse or a release in; audits and HTML pages for people out. Nothing else depends on what is said here.

`audit` computes what looks wrong in a release, `pages` draws. Read `audit/audit.py` first, then `pages/dataset.py`.
"""
