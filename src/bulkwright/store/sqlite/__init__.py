"""SQLite: two drivers, one set of queries and migrations.

`connection.py` is the database of the API and the CLI, `adbc.py` that of a worker; `driver.py` has
what both share.
"""
