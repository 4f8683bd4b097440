"""A typed client of the Bulk Write API: for this service and for Zoho CRM itself.

>>> with Client("http://127.0.0.1:8080", token="1000...") as client:  # doctest: +SKIP
...     file_id = client.upload("leads.zip")
...     job_id = client.write("upsert", "Leads", file_id, find_by="Email")
...     details = client.wait(job_id)
...     client.download(details, "result.zip")
"""

from bulkwright.client.client import AsyncClient, Client
from bulkwright.client.core import ApiError, Credentials

__all__ = ["ApiError", "AsyncClient", "Client", "Credentials"]
