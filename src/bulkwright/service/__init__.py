"""Use cases: plain synchronous classes over stores, files and limits. No HTTP, no JSON."""
