"""A program over httpx and aiohttp, with Zoho's hosts in its code. aiohttp uses no proxy."""

import asyncio

import aiohttp
import httpx

ORG = "https://www.zohoapis.in/crm/v8/org"
HEAD = {"Authorization": "Zoho-oauthtoken 1000.invented"}


async def main():
    """Calls with each of them."""
    async with httpx.AsyncClient(headers=HEAD) as client:
        by_httpx = (await client.get(ORG)).status_code
    async with aiohttp.ClientSession(headers=HEAD) as session, session.get(ORG) as answer:
        by_aiohttp = answer.status
    print(httpx.get(ORG, headers=HEAD).status_code, by_httpx, by_aiohttp)


asyncio.run(main())
