"""What `ferry doctor` says of other hosts: libraries, the ssh configuration, agent, known hosts. None is asked."""

from __future__ import annotations

import os
import socket
import struct
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from tui import format
from tui.cli.doctor_finding import Finding, Level
from tui.config import SshSettings
from tui.model.error import PlaceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.config import Settings

AGENT_TIMEOUT_S = 2.0
_REQUEST_IDENTITIES, _IDENTITIES_ANSWER = 11, 12
"""Messages of the agent. (draft-ietf-sshm-ssh-agent section 6.1)"""


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is to be said, in order."""
    yield _library("sftp", "asyncssh", Level.FAIL, "pip install asyncssh")
    if not _is_here("bcrypt"):
        text = "bcrypt is not installed: keys that are locked with a passphrase cannot be opened"
        yield Finding(Level.WARN, "sftp", text, "pip install bcrypt")
    level = Level.WARN if settings.s3 else Level.OK
    yield _library("s3", "aiobotocore", level, "pip install 'ferry-tui[s3]'")
    yield _ssh_config(settings)
    yield _agent(os.environ.get("SSH_AUTH_SOCK", ""))
    yield _known_hosts(Path(os.path.expanduser("~/.ssh/known_hosts")))


def _library(topic: str, name: str, missing: Level, remedy: str) -> Finding:
    try:
        return Finding(Level.OK, topic, f"{name} {version(name)}")
    except PackageNotFoundError:
        return Finding(missing, topic, f"{name} is not installed", f"To reach such places: {remedy}")


def _is_here(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _ssh_config(settings: Settings) -> Finding:
    """Read the files as for a host that none of them names."""
    from tui.places.sftp.ssh_config import SYSTEM, Target, aliases, own_config, read_for

    given = settings.ssh.config_file
    if not given:
        return Finding(Level.OK, "ssh", "no configuration is read, as [ssh] config_file is empty")
    usual = given == SshSettings().config_file
    file = own_config() if usual else Path(os.path.expanduser(given))
    try:
        read_for(Target("ferry-doctor.invalid"), [file, SYSTEM] if usual else [file])
    except PlaceError as error:
        return Finding(
            Level.FAIL, "ssh", error.message, "Correct that line; until then no host can be reached."
        )
    if not os.path.exists(file):
        return Finding(Level.OK, "ssh", f"no {file}")
    return Finding(Level.OK, "ssh", f"{file}, {format.entries(len(aliases(file)), 'host')}")


def _agent(path: str) -> Finding:
    if not path:
        return Finding(Level.OK, "agent", "none; key files and passwords do without")
    try:
        keys = _keys_of_agent(path)
    except (OSError, struct.error) as error:
        reason = getattr(error, "strerror", None) or "it says nothing"
        remedy = "Start one (`eval $(ssh-agent)`), or unset SSH_AUTH_SOCK."
        return Finding(Level.WARN, "agent", f"{path} does not answer: {reason}", remedy)
    return Finding(Level.OK, "agent", f"{path}, {format.entries(keys, 'key')}")


def _keys_of_agent(path: str) -> int:
    """Return how many keys an agent holds.

    Raises:
        OSError, struct.error: It does not answer as an agent does.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(AGENT_TIMEOUT_S)
        line.connect(path)
        line.sendall(struct.pack(">IB", 1, _REQUEST_IDENTITIES))
        data = b""
        while len(data) < 9 and (more := line.recv(9 - len(data))):
            data += more
        _, kind, keys = struct.unpack(">IBI", data)
        return int(keys) if kind == _IDENTITIES_ANSWER else 0


def _known_hosts(file: Path) -> Finding:
    remedy = f"Make it writable: else each new host is asked about again. (chmod u+w {file})"
    if os.path.exists(file):
        if os.access(file, os.R_OK | os.W_OK):
            return Finding(Level.OK, "known hosts", str(file))
        return Finding(Level.WARN, "known hosts", f"{file} cannot be written to", remedy)
    above = next(parent for parent in file.parents if os.path.exists(parent))
    if os.access(above, os.W_OK | os.X_OK):
        return Finding(Level.OK, "known hosts", f"{file} is made when the first host is accepted")
    return Finding(Level.WARN, "known hosts", f"{file} cannot be made", remedy)
