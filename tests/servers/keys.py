"""Where tests have their keys for stores: nowhere but in the environment, with nobody's files in reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.servers.swift import Swift


def set_keys(patch: pytest.MonkeyPatch, server: Swift) -> None:
    """Have what is opened from now on sign with the keys of a server."""
    forget_keys(patch)
    patch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    patch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)


def forget_keys(patch: pytest.MonkeyPatch) -> None:
    """Have no keys be known, be they of whoever runs the tests."""
    for name in (
        "PROFILE",
        "DEFAULT_PROFILE",
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "SESSION_TOKEN",
        "REGION",
    ):
        patch.delenv(f"AWS_{name}", raising=False)
    for name in ("DEFAULT_REGION", "ENDPOINT_URL", "ENDPOINT_URL_S3", "CA_BUNDLE"):
        patch.delenv(f"AWS_{name}", raising=False)
    patch.setenv("AWS_CONFIG_FILE", "/nonexistent/config")
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
