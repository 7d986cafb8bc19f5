"""Waiting for jobs to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli import events
from tui.cli.diagnostics import Status
from tui.cli.following import LETTING_IT_GO_ON, Following
from tui.cli.prompt import can_ask
from tui.cli.report import faults_of, losses_of, report, status_after
from tui.cli.telling import JsonTeller, PeopleTeller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.session import OpenClient, Session
    from tui.cli.telling import Teller


async def follow(
    session: Session,
    client: OpenClient,
    ids: Sequence[int],
    *,
    json: bool,
    own: bool,
    foreground: bool = False,
    refused: int = 0,
) -> Status:
    """Follow jobs to their end, report it, and return the exit status.

    Args:
        own: This command queued them, so that stopping it may stop them, and it asks what they ask of people. (What
            hosts ask is asked in any case.)
        foreground: Their engine and its journal end with this process. (So do those of an engine that could keep none.)
        refused: Sources that were refused before there was a job; they count as errors.
    """
    interactive = session.interactive and own
    foreground = foreground or not client.keeps_queue
    teller = _teller(session, json=json, interactive=interactive)
    stays = not client.notice
    detach = "" if foreground else LETTING_IT_GO_ON if stays else "leaving it for later"
    following = Following(client, ids, teller, interactive=interactive, own=own, detach=detach)
    ending = await following.to_the_end()
    session.messages.erase()
    status = Status.ERRORS if refused else Status.DONE
    for id in ids:
        job = ending.jobs.get(id)
        if job is None or not (job.state.is_final or id in ending.held):
            continue
        faults = await faults_of(client, job)
        its_status = status_after(job, faults, interrupted=ending.interrupted, refused=refused)
        status = max(status, its_status)
        losses = await losses_of(client, job)
        if json:
            session.out.json(events.summary(job, its_status, refused, losses))
        else:
            report(session, job, faults, losses, own=own, foreground=foreground)
    if ending.detached and own:
        session.messages.note(_left_behind(ids, stays=stays))
    return Status.INTERRUPTED if ending.interrupted else status


def _teller(session: Session, *, json: bool, interactive: bool) -> Teller:
    """Return what tells of the jobs, to people or to a program."""
    asks_hosts = can_ask()
    if json:
        return JsonTeller(session.messages, session.out, interactive=interactive, asks_hosts=asks_hosts)
    return PeopleTeller(session.messages, interactive=interactive, asks_hosts=asks_hosts)


def _left_behind(ids: Sequence[int], *, stays: bool) -> str:
    """Say what becomes of jobs nobody follows any more."""
    named = ", ".join(str(id) for id in ids)
    then = f"goes on; `ferry queue wait {named}` waits for it" if stays else "is kept; the next Ferry goes on"
    return f"job {named} {then}"
