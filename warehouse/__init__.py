"""The contract: identities, channels, schemas, paths, provenance. Imports no other room. Read `schemas.py` first.

`files` reads and writes whole files, `holdings` says what is stored, `release` freezes training sets, `interchange`
speaks other people's formats.
"""
