"""Health, readiness and metrics, for the people who run the service."""
