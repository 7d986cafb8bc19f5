"""What really loads: a command line must start fast, so each front end imports only what it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest


def loaded(statement: str) -> set[str]:
    """Return the modules a fresh interpreter holds after a statement."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("tui", {"asyncio", "argparse", "typing"}),
        ("tui.__main__", {"asyncio", "msgspec", "textual", "humanize", "platformdirs"}),
        ("tui.model.job", {"asyncio"}),
        ("tui.config.reading", {"asyncio"}),
        ("tui.client.quick", {"asyncio", "dataclasses", "subprocess", "secrets"}),
        ("tui.client.remote", {"textual", "rich", "sqlite3", "pygments"}),
        ("tui.client.spawn", {"textual", "rich", "sqlite3", "pygments", "secrets"}),
        ("tui.daemon.lifecycle", {"textual", "rich", "pygments"}),
        ("tui.engine.engine", {"textual", "rich", "pygments", "xxhash"}),
        ("tui.engine.copying", {"xxhash"}),
        (
            "tui.cli.transfer",
            {"asyncio", "dataclasses", "subprocess", "asyncssh", "aiobotocore", "tui.cli.far_transfer"},
        ),
        ("tui.cli.far_transfer", {"tui.cli.rehearsal", "tui.cli.sync", "asyncssh", "textual", "sqlite3"}),
        ("tui.cli.queue", {"asyncio", "dataclasses", "subprocess", "tui.cli.following"}),
        ("tui.cli.looks", {"asyncssh", "aiobotocore", "botocore", "textual", "sqlite3"}),
        ("tui.cli.doctor_far", {"asyncssh", "aiobotocore", "botocore", "textual"}),
        ("tui.cli.verify", {"xxhash", "blake3", "textual", "asyncio"}),
        ("tui.places.local.worker", {"asyncio"}),
        ("tui.places.sftp.opening", {"asyncssh"}),
        ("tui.places.s3.opening", {"aiobotocore", "botocore", "aiohttp"}),
        ("tui.places.s3.profiles", {"aiobotocore", "botocore", "asyncio"}),
        ("tui.places.sftp.settings", {"asyncssh", "asyncio"}),
        ("tui.ui.app", {"pygments", "sqlite3", "tui.engine.engine", "markdown_it"}),
    ],
)
def test_a_module_loads_nothing_it_does_not_need(module: str, unwanted: set[str]) -> None:
    assert loaded(f"import {module}") & unwanted == set()


def test_nothing_is_imported_before_an_interrupt_is_seen_to() -> None:
    """Ctrl+C meanwhile would be told by a traceback: `main` cannot take it before it is there."""
    new = loaded("import tui.__main__") - loaded("import __future__, gc, os")
    assert new == {"tui", "tui.__main__"}
