"""`ferry engine …`: the background process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import format
from tui.cli import events
from tui.cli.diagnostics import Status
from tui.config import rate_text
from tui.model.error import EngineUnreachable

if TYPE_CHECKING:
    from tui.cli.arguments import Parsed
    from tui.cli.session import Session
    from tui.model.job import EngineStatus


def run(session: Session, parsed: Parsed) -> int:
    """Do one engine command and return the exit status."""
    word, json = parsed.command.words[-1], parsed.has("--json")
    if word != "stop" and (line := session.engines.quick(start=word == "start")) is not None:
        with line:
            _tell(session, line.ask("status"), json=json)
        return Status.DONE
    import asyncio

    commands = {"status": _status, "start": _start, "stop": _stop}
    return asyncio.run(commands[word](session, json=json))


async def _status(session: Session, *, json: bool) -> int:
    status = await session.engines.status()
    _tell(session, status, json=json)
    return Status.UNREACHABLE if status is None else Status.DONE


async def _start(session: Session, *, json: bool) -> int:
    """Tell of one that only the long way leads to, or why none can be started."""
    client = session.engines.client()
    try:
        status = await client.status()
        if status.in_process:
            reason = client.notice or "the background engine cannot be started"
            raise EngineUnreachable(reason, "`ferry doctor` says what is wrong.")
    finally:
        await client.close()
    _tell(session, status, json=json)
    return Status.DONE


async def _stop(session: Session, *, json: bool) -> int:
    ran = await session.engines.stop()
    if json:
        session.out.json({**events.engine(None), "stopped": ran})
    else:
        session.out.line("stopped" if ran else "not running")
    return Status.DONE


def _tell(session: Session, status: EngineStatus | None, *, json: bool) -> None:
    if json:
        session.out.json(events.engine(status))
    elif status is None:
        session.out.line("not running")
    else:
        session.out.line(
            f"running: process {status.pid}, version {status.version}, since {format.moment(status.started_at)}, "
            f"{format.entries(status.slots, 'slot')}, limit {rate_text(status.limit_bytes_s)}"
        )
        if status.note:
            session.messages.note(status.note)
