"""The token endpoint and the sign-in pages."""
