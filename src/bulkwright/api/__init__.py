"""The Zoho wire over HTTP: an ASGI app of its own.

No web framework: the wire wants other answers than frameworks give (a wrong method is a 400, two
slashes are one, HEAD is GET without a body, every error has four keys), and importing one takes
longer than the half second in which the server is to be ready.
"""
