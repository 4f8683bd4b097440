"""The JSON that Zoho clients send, as domain values."""
