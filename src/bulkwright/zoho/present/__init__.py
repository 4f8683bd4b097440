"""Domain values as the JSON that Zoho clients read."""
