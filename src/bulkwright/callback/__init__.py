"""Callbacks: a POST to the URL of a job when the job ends (facts 6), at least once.

`dispatcher.py` claims what is due in the outbox and delivers it, `sender.py` makes one request to
the addresses that `egress.py` allows, `signing.py` signs it so that the receiver can verify it.
"""
