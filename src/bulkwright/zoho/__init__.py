"""The face for Zoho's clients: routes, JSON, errors, OAuth."""
