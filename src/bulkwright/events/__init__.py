"""Events of the service as values, their log lines, and counters of them."""
