"""PostgreSQL: one driver for all processes, which may run on many machines."""
