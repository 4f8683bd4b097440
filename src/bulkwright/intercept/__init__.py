"""Runs a program whose calls to Zoho's hosts reach another server; records and compares calls."""
