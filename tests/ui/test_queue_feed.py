"""The queue as the screen knows it."""

from __future__ import annotations

import pytest
from fake_client import FakeClient
from msgspec.structs import replace

from tui.model.error import EngineUnreachable
from tui.model.job import Disconnected, JobKind, JobState, Progress, Request, Update
from tui.model.location import Location
from tui.ui import queue_feed
from tui.ui.queue_feed import QueueState, follow


def request(name: str = "a", **changes: object) -> Request:
    source = Location.local(f"/home/{name}")
    return replace(Request(kind=JobKind.COPY, sources=(source,), target=Location.local("/mnt")), **changes)


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


def full(client: FakeClient) -> Update:
    return Update(1, tuple(client.jobs_by_id.values()), (), client.engine, full=True)


def test_what_needs_somebody_comes_first_and_what_is_done_last(client):
    done = client.add_job(request(), state=JobState.DONE, ended_at=30.0)
    cancelled = client.add_job(request(), state=JobState.CANCELLED, ended_at=40.0)
    queued = client.add_job(request())
    paused = client.add_job(request(), state=JobState.PAUSED, priority=5)
    running = client.add_job(request(), state=JobState.RUNNING)
    failed = client.add_job(request(), state=JobState.FAILED, ended_at=10.0)
    failed_later = client.add_job(request(), state=JobState.FAILED, ended_at=20.0)
    asking = client.add_job(request(), state=JobState.RUNNING, progress=Progress(questions=1))
    waiting = client.add_job(request(), state=JobState.WAITING, position=1)
    state = QueueState()
    state.fold(full(client))
    order = [waiting, asking, failed_later, failed, running, paused, queued, cancelled, done]
    assert state.jobs == tuple(order)


def test_jobs_to_come_go_by_priority_and_position(client):
    client.add_job(request())
    client.add_job(request(), priority=5)
    client.add_job(request(), position=0)
    state = QueueState()
    state.fold(full(client))
    assert [job.id for job in state.jobs] == [2, 3, 1]


def test_a_job_ends_once_and_only_where_it_was_seen_unfinished(client):
    client.add_job(request(), state=JobState.DONE, ended_at=1.0)
    job = client.add_job(request(), state=JobState.RUNNING)
    state = QueueState()
    assert state.fold(full(client)).ended == ()
    ended = replace(job, state=JobState.FAILED, ended_at=2.0)
    assert state.fold(Update(2, (ended,), (), client.engine)).ended == (ended,)
    assert state.fold(Update(3, (ended,), (), client.engine)).ended == ()


def test_a_job_that_ended_while_the_engine_was_away_is_told_after_the_reconnection(client):
    job = client.add_job(request(), state=JobState.RUNNING)
    state = QueueState()
    state.fold(full(client))
    state.fold(Disconnected("gone"))
    assert state.lost == "gone"
    client.set_job(job.id, state=JobState.DONE, ended_at=3.0)
    assert [each.id for each in state.fold(full(client)).ended] == [job.id]
    assert state.lost == ""


def test_a_question_is_told_once_until_there_was_none(client):
    job = client.add_job(request(), state=JobState.RUNNING)
    state = QueueState()
    state.fold(full(client))
    told = []
    for questions in (1, 2, 1, 0, 3):
        changed = replace(job, progress=Progress(questions=questions))
        told.append(len(state.fold(Update(2, (changed,), (), client.engine)).asked))
    assert told == [1, 0, 0, 0, 1]


def test_a_full_update_forgets_what_it_does_not_hold(client):
    client.add_job(request())
    state = QueueState()
    state.fold(full(client))
    state.fold(Update(5, (), (), client.engine, full=True))
    assert state.jobs == ()


def test_removed_jobs_go(client):
    client.add_job(request())
    client.add_job(request())
    state = QueueState()
    state.fold(full(client))
    state.fold(Update(2, (), (1,), client.engine))
    assert [job.id for job in state.jobs] == [2]


def test_there_is_no_rate_where_nothing_runs_or_nobody_knows(client):
    client.engine = replace(client.engine, rate_bytes_s=5.0)
    client.add_job(request(), state=JobState.PAUSED)
    state = QueueState()
    state.fold(full(client))
    assert state.rate_bytes_s == 0.0
    client.set_job(1, state=JobState.RUNNING)
    state.fold(full(client))
    assert state.rate_bytes_s == 5.0
    state.fold(Disconnected("gone"))
    assert state.rate_bytes_s == 0.0


async def test_updates_that_fail_or_end_are_asked_for_again(client, monkeypatch):
    monkeypatch.setattr(queue_feed, "RETRY_S", 0.0)

    class Flaky:
        asked = 0

        async def updates(self):
            self.asked += 1
            if self.asked == 1:
                raise EngineUnreachable("the engine is not answering")
            yield full(client)

    state, flaky, seen = QueueState(), Flaky(), []
    async for _ in follow(flaky, state):
        seen.append(state.lost)
        if len(seen) == 4:
            break
    assert seen == ["the engine is not answering", "", "the updates of the queue ended", ""]
