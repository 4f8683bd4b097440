"""PostgreSQL: one driver for all processes, which may run on many machines.

The files have the names of those in `store/sqlite`. Two have no counterpart there: `copy_text.py`,
because records are written by COPY, and `values.py`, because rows must have the types that SQLite
returns.
"""
