"""Callbacks: the caller's URL is told that a job has ended (facts 6), at least once.

`courier.py` takes what is due from the outbox and sends it, `post.py` makes one call under the
guard of `egress.py`, `signing.py` proves to the receiver who sent it.
"""
