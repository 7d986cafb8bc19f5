"""Where Ferry keeps things, built once from the environment and passed in everywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tui.model.error_root import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Paths(Struct, frozen=True):
    """Folders of one Ferry: nothing is created here; whoever writes makes its folder, mode 0700."""

    state: Path
    """Journal, its lock, and logs."""
    runtime: Path
    """Socket."""
    config: Path
    cache: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Paths:
        """Return the folders: all below FERRY_HOME where it is set, else where XDG says.

        Where the system gives no runtime folder (no XDG_RUNTIME_DIR, as under cron or sudo), the socket lives with
        the state. A relative one counts as none, as the XDG specification wants it: the engine runs elsewhere. So
        does that of another user, which `su` leaves behind: root could make a folder there, and lock its owner out.

        Raises:
            UsageError: Neither says where, and no home folder is known.
        """
        if home := environ.get("FERRY_HOME"):
            root = Path(home).absolute()
            return cls(root / "state", root / "run", root / "config", root / "cache")
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("ferry", appauthor=False)
        try:
            state, config, cache = dirs.user_state_path, dirs.user_config_path, dirs.user_cache_path
        except RuntimeError as error:
            raise UsageError(
                "no home folder is known: HOME is not set, and the system names none for this user",
                "Set HOME, or FERRY_HOME to a folder for all that Ferry keeps.",
            ) from error
        runtime = environ.get("XDG_RUNTIME_DIR", "")
        return cls(
            state=state,
            runtime=Path(runtime) / "ferry" if _is_our_folder(runtime) else state / "run",
            config=config,
            cache=cache,
        )

    @property
    def socket(self) -> Path:
        return self.runtime / "engine.sock"

    @property
    def spare_socket(self) -> Path:
        """Where a running engine listens when its runtime folder goes, as that of a login does, and stays away."""
        return self.state / "run" / self.socket.name

    @property
    def lock(self) -> Path:
        """Whoever holds it owns the journal. It stands beside the journal, because runtime folders differ between a
        login and a cron job, and may be cleared under a running engine."""
        return self.state / "engine.lock"

    @property
    def journal(self) -> Path:
        return self.state / "journal.sqlite3"

    @property
    def engine_log(self) -> Path:
        return self.state / "engine.log"

    @property
    def screen_log(self) -> Path:
        return self.state / "ferry.log"

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"


def _is_our_folder(path: str) -> bool:
    try:
        return os.path.isabs(path) and os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False
