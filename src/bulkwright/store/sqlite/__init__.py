"""SQLite: two drivers, one set of queries and migrations."""
