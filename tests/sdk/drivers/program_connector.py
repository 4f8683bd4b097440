"""A program over zoho-crm-connector, whose hosts stand in its code (requests, API v2, .com)."""

from pathlib import Path

from zoho_crm_connector import Zoho_crm

crm = Zoho_crm(
    refresh_token="1000.refresh.invented",
    client_id="1000.CLIENT",
    client_secret="secret",
    token_file_dir=Path(),
)
names = crm.get_module_field_api_names("Leads")
added, record = crm.upsert_zoho_module("Leads", {"data": [{"Last_Name": "Boyle", "City": "Trier"}]})
found = [
    lead for page in crm.yield_page_from_module("Leads", "(City:equals:Trier)") for lead in page
]
rows = crm.get_records_through_coql_query("select Last_Name from Leads where City = 'Trier'")
print("Last_Name" in names, added, record["Last_Name"], len(found), rows[0]["Last_Name"])
print(crm.delete_from_module("Leads", record["id"])[0], crm.get_users()["users"][0]["status"])
