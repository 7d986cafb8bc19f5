"""`ferry doctor`: look at everything Ferry stands on; each line says ok, warn or fail, and what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tui import __version__, format
from tui.cli import doctor_far, events
from tui.cli.diagnostics import Status
from tui.cli.doctor_finding import Finding, Level
from tui.client.runtime import SOCKET_PATH_BYTES
from tui.config.reading import load
from tui.model.error import FerryError, UsageError
from tui.model.job import JobState
from tui.visible import harmless, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.cli.arguments import Parsed
    from tui.cli.session import Session
    from tui.model.job import EngineStatus
    from tui.model.location import Location
    from tui.paths import Paths

LITTLE_SPACE_BYTES = 100 << 20
NO_SPACE_BYTES = 5 << 20
SHOWN_PARTIALS = 10


def run(session: Session, parsed: Parsed) -> int:
    """Print all findings; return 1 if any of them is a failure."""
    older_than_s = _older_than_s(parsed)
    findings = asyncio.run(_examine(session, parsed, older_than_s))
    for finding in findings:
        if parsed.has("--json"):
            told = {"level": str(finding.level), "topic": finding.topic}
            session.out.json(
                {**told, "text": events.text(finding.text), "remedy": events.text(finding.remedy)}
            )
        else:
            _print(session, finding)
    return Status.ERRORS if any(finding.level is Level.FAIL for finding in findings) else Status.DONE


def _print(session: Session, finding: Finding) -> None:
    colour = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}[finding.level]
    level = session.out.styled(f"{finding.level:4}", colour)
    session.out.line(f"{level}  {finding.topic}: {harmless(finding.text)}")
    if finding.remedy:
        session.out.line(f"      {harmless(finding.remedy)}")


def _older_than_s(parsed: Parsed) -> float | None:
    """Return how old uploads must be to be removed; None: none are."""
    given = parsed.get("--abort-uploads")
    if given is None:
        return None
    if not given.isascii() or not given.isdecimal():
        raise UsageError(f"--abort-uploads takes a number of hours, not {given!r}")
    return int(given) * 3600.0


async def _examine(session: Session, parsed: Parsed, older_than_s: float | None) -> list[Finding]:
    paths = session.paths
    engine, status = await _engine(session)
    journal, targets = await _journal(session, running=status is not None)
    return [
        _python(),
        *_terminal(session),
        _runtime(paths),
        engine,
        *journal,
        _logs(paths),
        *_configuration(session),
        *doctor_far.findings(session.settings),
        *_partials(targets),
        _space(paths),
        *(
            await _uploads(session, older_than_s)
            if parsed.has("--uploads") or older_than_s is not None
            else ()
        ),
    ]


async def _uploads(session: Session, older_than_s: float | None) -> list[Finding]:
    from tui.cli.doctor_uploads import uploads

    return await uploads(session, older_than_s)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(Level.OK, "python", f"{version}, Ferry {__version__}")


def _terminal(session: Session) -> Iterator[Finding]:
    term, encoding = os.environ.get("TERM", ""), sys.stdout.encoding.lower().replace("_", "-")
    if encoding not in ("utf-8", "utf8"):
        remedy = (
            "Set a UTF-8 locale, as in LANG=C.UTF-8, or names are shown wrongly; the screen refuses to start."
        )
        yield Finding(Level.FAIL, "locale", f"text is written as {encoding}", remedy)
    if not session.out.is_terminal:
        yield Finding(Level.OK, "terminal", "none here; commands do without, the screen needs one")
        return
    if term in ("", "dumb"):
        text = "TERM is dumb" if term else "TERM is not set"
        remedy = (
            "Set TERM to what your terminal is (xterm-256color is a good guess); the screen refuses to start."
        )
        yield Finding(Level.FAIL, "terminal", text, remedy)
        return
    colours = "16 million colours" if os.environ.get("COLORTERM") in ("truecolor", "24bit") else "256 colours"
    if "256" not in term and "million" not in colours:
        colours = "16 colours"
    if os.environ.get("NO_COLOR"):
        colours = "no colours (NO_COLOR)"
    size = shutil.get_terminal_size()
    where = ", inside tmux" if os.environ.get("TMUX") else ""
    yield Finding(Level.OK, "terminal", f"{term}, {size.columns}×{size.lines}, {colours}{where}")


def _runtime(paths: Paths) -> Finding:
    """Judge the folder of the socket, or, before there is one, the folder it would be made in."""
    folder = paths.runtime
    if len(os.fsencode(paths.socket)) >= SOCKET_PATH_BYTES and not sys.platform.startswith("linux"):
        remedy = "Set FERRY_HOME or XDG_RUNTIME_DIR to a folder with a shorter path."
        return Finding(Level.FAIL, "socket", f"{folder} is too long a path for a socket", remedy)
    try:
        info = folder.lstat()
    except FileNotFoundError:
        return _runtime_to_be(folder)
    except OSError as error:
        return Finding(Level.FAIL, "socket", f"{folder} cannot be used: {error.strerror}", _ELSEWHERE)
    if not stat.S_ISDIR(info.st_mode):
        text = f"a link or a file stands in the place of the folder {folder}"
        return Finding(Level.FAIL, "socket", text, f"Move it away. {_ELSEWHERE}")
    if info.st_uid != os.geteuid():
        text = f"{folder} belongs to another user (uid {info.st_uid})"
        return Finding(Level.FAIL, "socket", text, _ELSEWHERE)
    if stat.S_IMODE(info.st_mode) & 0o077:
        text = f"{folder} is open to others (mode {stat.S_IMODE(info.st_mode):o})"
        return Finding(Level.WARN, "socket", text, "The engine makes it private at its next start.")
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return Finding(Level.FAIL, "socket", f"{folder} is on a filesystem mounted read-only", _ELSEWHERE)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(Level.FAIL, "socket", f"{folder} cannot be written to", f"chmod 700 {folder}")
    return Finding(Level.OK, "socket", str(paths.socket))


_ELSEWHERE = "Set FERRY_HOME or XDG_RUNTIME_DIR to a folder of your own."


def _runtime_to_be(folder: Path) -> Finding:
    above = next(parent for parent in folder.parents if os.path.lexists(parent))
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Finding(Level.OK, "socket", f"{folder} is made when the engine starts")
    remedy = f"Make {above} writable. {_ELSEWHERE}"
    return Finding(Level.FAIL, "socket", f"{folder} cannot be made", remedy)


async def _engine(session: Session) -> tuple[Finding, EngineStatus | None]:
    try:
        status = await session.engines.status()
    except FerryError as error:
        return Finding(Level.FAIL, "engine", error.message, error.remedy), None
    if status is None:
        return Finding(Level.OK, "engine", "not running; it starts when it is needed"), None
    text = f"process {status.pid}, version {status.version}, since {format.moment(status.started_at)}"
    if status.version != __version__:
        remedy = "`ferry engine stop` lets the next command start this version's; jobs are kept."
        return Finding(Level.WARN, "engine", f"{text}; this is version {__version__}", remedy), status
    return Finding(Level.OK, "engine", text), status


async def _journal(session: Session, *, running: bool) -> tuple[list[Finding], set[Location]]:
    """Judge the journal; return the targets of its ended jobs too."""
    file = session.paths.journal
    findings: list[Finding] = []
    try:
        findings += _set_aside(file)
        file.lstat()
        jobs, note = await (_jobs_of_engine(session) if running else _jobs_of_file(file))
    except FileNotFoundError:
        return [*findings, Finding(Level.OK, "journal", "none yet")], set()
    except OSError as error:
        text, remedy = f"{file} cannot be read: {error.strerror}", "Check its permissions and its disk."
        return [*findings, Finding(Level.FAIL, "journal", text, remedy)], set()
    except FerryError as error:
        return [*findings, Finding(Level.FAIL, "journal", f"{file}: {error}", error.remedy)], set()
    if note:
        remedy = "The engine sets it aside at its next start, and saves what can be read of it."
        return [*findings, Finding(Level.FAIL, "journal", f"{file} is damaged", remedy)], set()
    targets = {
        target if into else target.parent
        for state, target, into in jobs
        if state.is_final and target is not None and target.is_local
    }
    return [*findings, Finding(Level.OK, "journal", f"{file}, {format.entries(len(jobs), 'job')}")], targets


def _set_aside(file: Path) -> Iterator[Finding]:
    """Yield what is to be said of each damaged journal beside the one there is."""
    for name in sorted(os.listdir(file.parent)):
        if name.startswith(f"{file.name}.damaged-") and not name.endswith(("-wal", "-shm")):
            text = f"a damaged journal was set aside: {file.with_name(name)}"
            yield Finding(Level.WARN, "journal", text, "Remove it when you do not miss its jobs.")


Row = tuple[JobState, "Location | None", bool]


async def _jobs_of_engine(session: Session) -> tuple[list[Row], str]:
    client = session.engines.client()
    try:
        return [(job.state, job.target, job.into) for job in await client.jobs()], ""
    finally:
        await client.close()


async def _jobs_of_file(file: Path) -> tuple[list[Row], str]:
    """Read a copy, so that looking neither repairs nor migrates what is looked at."""
    from tui.engine.journal import Journal

    with tempfile.TemporaryDirectory(prefix="ferry-doctor-") as folder:
        for suffix in ("", "-wal"):
            if (beside := file.with_name(file.name + suffix)).exists():
                shutil.copyfile(beside, Path(folder) / beside.name)
        journal = Journal(Path(folder) / file.name)
        try:
            note = await journal.open()
            return [(row.state, row.target, row.into) for row in await journal.jobs()], note
        finally:
            await journal.close()


def _logs(paths: Paths) -> Finding:
    """Tell where what went wrong is written down."""
    text = f"{paths.engine_log} of the engine, {paths.screen_log} of the screen, and of a command with --foreground"
    return Finding(Level.OK, "logs", text)


def _configuration(session: Session) -> list[Finding]:
    file = session.paths.config_file
    _, errors = load(session.paths, session.actions)
    if errors:
        return [Finding(Level.WARN, "configuration", error.message, error.remedy) for error in errors]
    return [
        Finding(Level.OK, "configuration", str(file) if os.path.exists(file) else f"no {file}; all defaults")
    ]


def _partials(folders: set[Location]) -> list[Finding]:
    """Find half files of ended jobs: directly in their targets, where Ferry would have begun and ended them."""
    found: list[str] = []
    for folder in sorted(folders):
        try:
            with os.scandir(folder.path) as entries:
                found += [entry.path for entry in entries if entry.name.startswith(".ferry-")]
        except OSError:
            continue
    if not found:
        return [Finding(Level.OK, "leftovers", "no half files at the targets of ended jobs")]
    remedy = "Retry the job they belong to, or remove them if no job is going on there."
    findings = [Finding(Level.WARN, "leftovers", visible(path), remedy) for path in found[:SHOWN_PARTIALS]]
    if len(found) > SHOWN_PARTIALS:
        findings.append(Finding(Level.WARN, "leftovers", f"and {len(found) - SHOWN_PARTIALS} more"))
    return findings


def _space(paths: Paths) -> Finding:
    folder = next(each for each in (paths.state, *paths.state.parents) if os.path.exists(each))
    try:
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            Level.FAIL, "space", f"{folder}: {error.strerror or error}", "Check the disk it is on."
        )
    text = f"{format.size(free_bytes)} free for the journal at {folder}"
    if free_bytes < LITTLE_SPACE_BYTES:
        level = Level.FAIL if free_bytes < NO_SPACE_BYTES else Level.WARN
        return Finding(level, "space", text, "Free some space there, or set FERRY_HOME to another disk.")
    return Finding(Level.OK, "space", text)
