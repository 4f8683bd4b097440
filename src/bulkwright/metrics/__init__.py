"""Numbers for whoever runs the service: counted in plain Python, told in Prometheus's format."""
