"""Programs of the user's that run when a job ends. The engine never waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from tui.model.job import Job

logger = logging.getLogger(__name__)

TIME_LIMIT_S = 60.0
_AT_ONCE = 4
_OUTPUT_BYTES = 4096
"""So much of what a program says goes to the log."""


def environment(job: Job) -> dict[str, str]:
    """Return what a program is told about a job. (Names as bytes on disk: lone surrogates become them again.)"""
    target = job.target
    progress = job.progress
    return {
        "FERRY_JOB_ID": str(job.id),
        "FERRY_JOB_STATE": job.state,
        "FERRY_JOB_KIND": job.kind,
        "FERRY_JOB_TARGET": "" if target is None else target.path if target.is_local else target.url,
        "FERRY_JOB_FILES": str(progress.files_done),
        "FERRY_JOB_BYTES": str(progress.bytes_done),
        "FERRY_JOB_ERRORS": str(progress.errors),
    }


class Hooks:
    """Runs `job_ended` for jobs, a few at once."""

    def __init__(self, argv: tuple[str, ...], time_limit_s: float = TIME_LIMIT_S) -> None:
        self._argv, self._time_limit_s = argv, time_limit_s
        self._running: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def job_ended(self, job: Job) -> None:
        """Take note of an ended job; return at once."""
        if self._argv:
            task = asyncio.get_running_loop().create_task(self._run(job), name=f"hook of job {job.id}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def close(self, patience_s: float = 10.0) -> None:
        """Wait a little for programs that run, then end them."""
        if self._running:
            _, late = await asyncio.wait(tuple(self._running), timeout=patience_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, job: Job) -> None:
        # A file, not a pipe: what the program leaves running in the background may keep it open as long as it likes.
        async with self._slots:
            with tempfile.TemporaryFile() as output:
                status = await self._status(job, output)
                output.seek(0)
                said = output.read(_OUTPUT_BYTES).decode(errors="backslashreplace").rstrip()
        if status is not None:
            level = logging.WARNING if status else logging.INFO
            logger.log(
                level, "job %d: the hook %r ended with status %d: %s", job.id, self._argv[0], status, said
            )

    async def _status(self, job: Job, output: IO[bytes]) -> int | None:
        """Run the program; return its exit status, or None where it could not be run to its end."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment(job)},
                cwd="/",
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            logger.error("job %d: the hook %r cannot be run: %s", job.id, self._argv[0], error)
            return None
        try:
            async with asyncio.timeout(self._time_limit_s):
                return await process.wait()
        except TimeoutError:
            logger.error(
                "job %d: the hook %r was ended after %g s", job.id, self._argv[0], self._time_limit_s
            )
            return None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
