"""Pure values and rules: no I/O, no JSON, no SQL, no Arrow, no HTTP."""
