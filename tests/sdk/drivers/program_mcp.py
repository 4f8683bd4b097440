"""A program over the tools of zoho-crm-mcp, whose hosts stand in its code (requests, v2, .com).

It keeps an access token from an earlier day, and never refreshes it.
"""

import os

os.environ |= {
    "ZOHO_CLIENT_ID": "1000.CLIENT",
    "ZOHO_CLIENT_SECRET": "secret",
    "ZOHO_ACCESS_TOKEN": "1000.access.invented",
}
from zoho_mcp.zoho_tools import ZohoTools

tools = ZohoTools()
made = tools.create_contact("Ann", "Kay", "a.kay@zylker.example", "555-0199")
changed = tools.update_contact(made["id"], "Phone", "555-0198")
user = tools.get_user_info()
print(made["status"], changed.get("status"), "error" in user)
