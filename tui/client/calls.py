"""The queue's methods, each one call by name: what is common to all clients."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Self

from tui.client.places import EveryPlace
from tui.model.error import EngineUnreachable
from tui.model.parts import PART

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tui.model.ask import HostQuestion, KnownHost
    from tui.model.fidelity import Lost
    from tui.model.job import (
        Conflict,
        Disconnected,
        EngineStatus,
        Job,
        JobError,
        JobKind,
        Question,
        Request,
        Update,
    )
    from tui.model.location import Location
    from tui.model.misfit import Misfits, Names


def _ids(ids: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if ids is None else tuple(ids)


class Calls(EveryPlace):
    """A client, but for how a call reaches the engine. (Implements `tui.client.base.Client`.)"""

    notice: str = ""
    """Why the engine is not the usual one; empty where all is well."""
    keeps_queue: bool = True
    """Whether jobs are still there when the engine has ended."""

    @abstractmethod
    def updates(self) -> AsyncGenerator[Update | Disconnected]: ...

    @abstractmethod
    async def stop_engine(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def submit(self, request: Request) -> int:
        return int(await self.ask("submit", request=request))

    async def jobs(self) -> tuple[Job, ...]:
        jobs: tuple[Job, ...] = await self.ask("jobs")
        return jobs

    async def job(self, id: int, seconds: float = 0.0) -> Job:
        job: Job = await self.ask("job", id=id, seconds=seconds)
        return job

    async def request(self, id: int) -> Request:
        request: Request = await self.ask("request", id=id)
        return request

    async def sources(self, id: int, start: int = 0, count: int = PART) -> tuple[Location, ...]:
        sources: tuple[Location, ...] = await self.ask("sources", id=id, start=start, count=count)
        return sources

    async def pause(self, ids: Sequence[int] | None = None) -> None:
        await self.ask("pause", ids=_ids(ids))

    async def resume(self, ids: Sequence[int] | None = None) -> None:
        await self.ask("resume", ids=_ids(ids))

    async def cancel(self, ids: Sequence[int] | None = None, *, keep: bool = True) -> None:
        await self.ask("cancel", ids=_ids(ids), keep=keep)

    async def retry(self, ids: Sequence[int] | None = None) -> None:
        await self.ask("retry", ids=_ids(ids))

    async def start(self, ids: Sequence[int]) -> None:
        await self.ask("start", ids=_ids(ids))

    async def reorder(self, ids: Sequence[int], where: str) -> None:
        await self.ask("reorder", ids=_ids(ids), where=where)

    async def set_priority(self, ids: Sequence[int], priority: int) -> None:
        await self.ask("set_priority", ids=_ids(ids), priority=priority)

    async def remove(self, ids: Sequence[int] | None = None) -> None:
        await self.ask("remove", ids=_ids(ids))

    async def restore(self) -> tuple[int, ...]:
        ids: tuple[int, ...] = await self.ask("restore")
        return ids

    async def verify(self, id: int) -> int:
        return int(await self.ask("verify", id=id))

    async def note_step(self, kind: JobKind, location: Location, before: Location) -> int:
        return int(await self.ask("note_step", kind=kind, location=location, before=before))

    async def undo(self, id: int) -> int:
        return int(await self.ask("undo", id=id))

    async def limit(self, bytes_s: int | None, ids: Sequence[int] | None = None) -> None:
        await self.ask("limit", bytes_s=bytes_s, ids=_ids(ids))

    async def set_slots(self, slots: int) -> None:
        await self.ask("set_slots", slots=slots)

    async def set_conflict(self, ids: Sequence[int], rule: Conflict) -> None:
        await self.ask("set_conflict", ids=_ids(ids), rule=rule)

    async def set_names(self, ids: Sequence[int], names: Names) -> None:
        await self.ask("set_names", ids=_ids(ids), names=names)

    async def misfits(self, id: int) -> Misfits:
        misfits: Misfits = await self.ask("misfits", id=id)
        return misfits

    async def errors(self, id: int, start: int = 0, count: int = 1000) -> tuple[JobError, ...]:
        errors: tuple[JobError, ...] = await self.ask("errors", id=id, start=start, count=count)
        return errors

    async def losses(self, id: int) -> tuple[Lost, ...]:
        losses: tuple[Lost, ...] = await self.ask("losses", id=id)
        return losses

    async def questions(self, id: int | None = None, count: int = 100) -> tuple[Question, ...]:
        questions: tuple[Question, ...] = await self.ask("questions", id=id, count=count)
        return questions

    async def answer(self, question: int, rule: Conflict, *, for_all: bool = False) -> None:
        await self.ask("answer", question=question, rule=rule, for_all=for_all)

    async def host_questions(self) -> tuple[HostQuestion, ...]:
        questions: tuple[HostQuestion, ...] = await self.ask("host_questions")
        return questions

    async def answer_host(self, id: int, answer: str | None) -> None:
        await self.ask("answer_host", id=id, answer=answer)

    async def hosts(self) -> tuple[KnownHost, ...]:
        hosts: tuple[KnownHost, ...] = await self.ask("hosts")
        return hosts

    async def status(self) -> EngineStatus:
        status: EngineStatus = await self.ask("status")
        return status


def closed() -> EngineUnreachable:
    """Return the error of a call on a client that was closed."""
    return EngineUnreachable("this client was closed")
