"""Clients of the library, set up for one endpoint; and whether it lets us in."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.httpsession import AIOHTTPSession  # type: ignore[import-untyped]
from aiobotocore.session import AioSession  # type: ignore[import-untyped]
from botocore.configprovider import ConfiguredEndpointProvider  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ProfileNotFound  # type: ignore[import-untyped]
from botocore.loaders import create_loader  # type: ignore[import-untyped]

from tui import __version__
from tui.model.error import AuthenticationFailed, NotFound, PlaceError, PlaceUnavailable
from tui.places.s3.endpoints import DEFAULT_REGION, host_of
from tui.places.s3.errors import from_foreign
from tui.places.s3.store import SILENCE_S, Store

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.s3.endpoints import Endpoint

_DOING = "connect to"

_CONNECT_S = 10.0
_NEVER_S = 24 * 3600.0
"""The library's own limit: ours are shorter, and know what moves."""
_TRIES = 3
_CONNECTIONS = 64
_UNREAD_BYTES = 1 << 20
"""Of an answer, so much may lie here unread before its connection is not listened to for a while.

With the 64 KiB that are usual that happens after every piece that comes.
"""

_QUICKACK = (6, 12, 1)
"""IPPROTO_TCP, TCP_QUICKACK, on: Linux has it. It does not last: the kernel goes back to waiting by itself (tcp(7))."""


class _Straight(AIOHTTPSession):  # type: ignore[misc]
    """Follows no redirection by itself.

    It would go to whatever host is named, unsigned, and what that says would count as the store's answer. Where a
    bucket is of another region the library itself asks there, signed anew.
    """

    async def _get_session(self, proxy_url: str | None) -> Any:
        return _NoDetours(await super()._get_session(proxy_url))


class _NoDetours:
    """Sends requests as they are to be sent here, whatever the library says."""

    def __init__(self, session: Any) -> None:
        self._session = session

    async def request(self, method: str, **request: Any) -> Any:
        answer = await self._session.request(
            method, allow_redirects=False, read_bufsize=_UNREAD_BYTES // 2, **request
        )
        _acknowledge(answer)
        return answer


def _acknowledge(answer: Any) -> None:
    """Have the head of an answer acknowledged at once, where what follows it has not come yet.

    Some stores (Ceph's gateway, as it comes) send head and body in two steps, the second when the first was
    acknowledged (RFC 896). A kernel waits 40 ms with that, in case there were something to be sent along with it.
    """
    connection = answer.connection
    if sys.platform != "linux" or connection is None or connection.transport is None:
        return
    if (way := connection.transport.get_extra_info("socket")) is not None:
        with contextlib.suppress(OSError):  # it has just ended, or is no TCP
            way.setsockopt(*_QUICKACK)


async def connect(endpoint: Endpoint, location: Location, silence_s: float | None = None) -> Store:
    """Return a store that has answered once.

    Raises:
        NotFound: There is no profile of that name.
        AuthenticationFailed, PlaceUnavailable.
    """
    try:
        session, request = await asyncio.to_thread(_session, endpoint)
        client = await session.create_client("s3", **request).__aenter__()
    except ProfileNotFound as error:
        message = f"cannot {_DOING} {location}: there is no endpoint and no profile of that name"
        remedy = "Name one of ~/.aws/config, or add it to the configuration."
        raise NotFound(message, remedy, location=location) from error
    except (BotoCoreError, ValueError) as error:
        raise from_foreign(error, _DOING, location, host_of(endpoint.url)) from error
    store = Store(client, endpoint, SILENCE_S if silence_s is None else silence_s)
    url = request["endpoint_url"]
    store.answers_head = store.heeds = store.heeds_in_parts = url is None
    store.signs_bodies = url is not None and url.startswith("http://")
    try:
        await _knock(store, location)
    except BaseException:
        await store.close()
        raise
    return store


async def _knock(store: Store, location: Location) -> None:
    """Find out whether it is there and knows the keys. That buckets may not be listed is no reason to stay outside."""
    try:
        await store.call("list_buckets", _DOING, location)
    except (AuthenticationFailed, PlaceUnavailable):
        raise
    except PlaceError:
        pass  # it answered, and it knew the keys
    store.let_in = True


def _session(endpoint: Endpoint) -> tuple[Any, dict[str, Any]]:
    """Return a session, with all read that it needs, and what a client is made with. Blocks: run it in a thread."""
    session = AioSession(profile=endpoint.profile or None)
    session.register_component("data_loader", models())
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    scoped = session.get_scoped_config()
    url = endpoint.url or ConfiguredEndpointProvider(session.full_config, scoped, "s3").provide() or None
    region = endpoint.region or session.get_config_variable("region") or DEFAULT_REGION
    config: dict[str, Any] = {
        "connect_timeout": _CONNECT_S,
        "read_timeout": _NEVER_S,
        "retries": {"total_max_attempts": _TRIES, "mode": "standard"},
        "max_pool_connections": _CONNECTIONS,
        "http_session_cls": _Straight,
        "user_agent": f"ferry/{__version__}",  # the library puts its own together twice a request, of a dozen parts
    }
    style = endpoint.path_style
    if style is None:
        style = True if "addressing_style" not in (scoped.get("s3") or {}) else None
    if url is not None and style is not None:
        config["s3"] = {"addressing_style": "path" if style else "virtual"}
    if endpoint.when_required:
        config["request_checksum_calculation"] = config["response_checksum_validation"] = "when_required"
    return session, {"region_name": region, "endpoint_url": url, "config": AioConfig(**config)}


@cache
def models() -> Any:
    """Return the library's descriptions of the protocol: it reads them once, and here, not in the event loop."""
    loader = create_loader()
    for name in ("service-2", "endpoint-rule-set-1"):
        loader.load_service_model("s3", name)
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        loader.load_data(name)
    return loader
