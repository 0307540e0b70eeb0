"""The contract between the rooms: identities, channels, schemas, paths, provenance. Imports no other room.

Records in, Parquet files out, and back. `files` reads and writes whole files, `holdings` says what is stored, `release`
freezes training sets, `interchange` imports and exports other formats. Read `schemas.py` first, then `layout.py`.
"""
