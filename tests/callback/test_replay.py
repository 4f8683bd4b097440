"""`/api/v1/jobs/ID/callback` and its replay, on both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx2
from tests.callback.office import Office
from tests.support.deployment import Deployment
from tests.support.receivers import Receiver

from bulkwright.domain.audit import Action

JOBS = "/api/v1/jobs"


def problem(answer: httpx2.Response, status: int, code: str) -> None:
    """The response is this error."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def replay(server: Deployment, job: int, token: str | None = None) -> httpx2.Response:
    """POST the replay of a callback."""
    return server.http.post(f"{JOBS}/{job}/callback/replay", headers=server.auth(token))


def test_a_callback_is_shown_and_sent_again(server: Deployment) -> None:
    """With another id, and the job as it is now."""
    office = Office(server.services, server.tenant.org.id)
    with Receiver() as receiver:
        job = office.ended(receiver.url)
        path = f"{JOBS}/{job.id}/callback"
        pending = server.get(path).json()
        assert (pending["url"], pending["state"], pending["attempts"]) == (
            receiver.url, "pending", 0,
        )  # fmt: skip
        problem(replay(server, job.id), 409, "CALLBACK_IS_PENDING")
        office.deliver(job)
        done = server.get(path).json()
        assert (done["state"], done["attempts"], done["last_status"]) == ("delivered", 1, 200)
        assert done["next_attempt_time"] is None and done["ended_time"] is not None
        again = replay(server, job.id)
        assert again.status_code == 202, again.text
        assert (again.json()["state"], again.json()["attempts"]) == ("pending", 0)
        office.deliver(job)
    first, second = receiver.letters
    assert first.body == second.body
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    entries = server.services.audit.newest(100, action=Action.JOB_CALLBACK_REPLAYED)
    (entry,) = (one for one in entries if one.detail == str(job.id))
    assert (entry.user_id, entry.actor.address) == (server.tenant.user.id, "127.0.0.1")


def test_a_delivery_that_has_expired_is_made_again(server: Deployment) -> None:
    """Raced replays add one delivery."""
    office = Office(server.services, server.tenant.org.id)
    job = office.ended("http://127.0.0.1:9/end")
    server.services.database.sql("DELETE FROM outbox WHERE job_id = ?", (job.id,))
    problem(server.get(f"{JOBS}/{job.id}/callback"), 404, "NO_CALLBACK")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: replay(server, job.id).status_code, range(8)))
    assert sorted(answers) == [202, *[409] * 7]
    assert office.states(job) == ["pending"]
    server.services.database.sql("DELETE FROM outbox WHERE job_id = ?", (job.id,))


def test_a_repeated_replay_sends_nothing_again(server: Deployment) -> None:
    """Its key stands for it, also when the callback was delivered meanwhile."""
    office = Office(server.services, server.tenant.org.id)
    with Receiver() as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
        path = f"{JOBS}/{job.id}/callback/replay"
        headers = server.auth() | {"Idempotency-Key": f"replay-{job.id}"}
        first = server.http.post(path, headers=headers)
        assert (first.status_code, first.json()["state"]) == (202, "pending")
        assert server.http.post(path, headers=headers).json() == first.json()
        office.deliver(job)
        again = server.http.post(path, headers=headers)
        assert (again.status_code, again.json()["state"]) == (202, "delivered")
        other = f"{JOBS}/{office.ended(receiver.url).id}/callback/replay"
        problem(server.http.post(other, headers=headers), 409, "IDEMPOTENCY_KEY_REUSED")
    assert len(receiver.letters) == 2


def test_what_is_not_replayed_is_named(server: Deployment) -> None:
    office = Office(server.services, server.tenant.org.id)
    silent, running = office.ended(None), office.added("http://127.0.0.1:9/end")
    problem(replay(server, silent.id), 404, "NO_CALLBACK")
    problem(replay(server, running.id), 409, "JOB_IS_OPEN")
    problem(server.get(f"{JOBS}/{running.id}/callback"), 404, "NO_CALLBACK")
    problem(replay(server, running.id, server.other.token), 404, "NO_SUCH_JOB")
    alone = server.token("bulkwright.jobs.READ")
    problem(replay(server, running.id, alone), 403, "OAUTH_SCOPE_MISMATCH")
