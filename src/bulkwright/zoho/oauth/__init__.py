"""The token endpoint and the sign-in pages."""

PATH = "/oauth/v2/auth"
"""The path of the pages. The session cookie is sent to this path only, except over HTTPS."""
STYLE_URL = f"{PATH}/style.css"
"""The path of their style sheet."""
