"""Settings: frozen values with defaults, read from one TOML file by `tui.config.reading`."""

from __future__ import annotations

from tui.config.far import S3Settings, SshSettings
from tui.config.kinds import parse_rate, rate_text
from tui.config.settings import ConfirmSettings, HookSettings, QueueSettings, ScreenSettings, Settings

__all__ = [
    "ConfirmSettings",
    "HookSettings",
    "QueueSettings",
    "S3Settings",
    "ScreenSettings",
    "Settings",
    "SshSettings",
    "parse_rate",
    "rate_text",
]
