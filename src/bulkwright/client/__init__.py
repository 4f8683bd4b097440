"""A typed client of the Bulk Write API: for this service and for Zoho CRM itself.

>>> with Client("http://127.0.0.1:8080", token="1000...") as client:  # doctest: +SKIP
...     job = client.write("leads.csv", module="Leads", operation="upsert", find_by="Email")
...     for row in job.result().errors():
...         print(row.error, row.values)
"""

from bulkwright.client.client import AsyncClient, Client
from bulkwright.client.core import ApiError
from bulkwright.client.options import Credentials

__all__ = ["ApiError", "AsyncClient", "Client", "Credentials"]
