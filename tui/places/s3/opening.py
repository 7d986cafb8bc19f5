"""Reaching stores. No more of S3 than this is loaded before one is wanted: the library behind it is large."""

from __future__ import annotations

import asyncio
import mimetypes
from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.places.s3.endpoints import Endpoint, Sizes
from tui.places.s3.ledger import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui.model.location import Location
    from tui.places.base import Asker
    from tui.places.s3.budget import Budget
    from tui.places.s3.ledger import Ledger
    from tui.places.s3.place import S3Place

EXTRA = "pip install 'ferry-tui[s3]'"


class S3Opener:
    """Implements `tui.places.base.Opener`.

    Args:
        endpoints: Returns them by the names they have in locations; the one named "" is the default. What is not among
            them is taken for a profile in ~/.aws. It is called in a thread, each time a store is to be reached.
        ledger: Where half uploads are remembered. None: they are forgotten with this opener.
        silence_s: A store that lets nothing be heard for so long is out of reach. None: as usual.
    """

    def __init__(
        self,
        endpoints: Callable[[], Mapping[str, Endpoint]] | None = None,
        ledger: Ledger | None = None,
        sizes: Sizes | None = None,
        silence_s: float | None = None,
    ) -> None:
        self._endpoints, self._ledger = endpoints or dict, ledger or MemoryLedger()
        self._sizes, self._silence_s = sizes or Sizes(), silence_s
        self._budgets: dict[str, Budget] = {}

    async def open(self, location: Location, asker: Asker) -> S3Place:
        """Connect. Nobody is asked anything: keys are where AWS's own tools have them."""
        name = location.authority
        endpoint = (await asyncio.to_thread(self._endpoints)).get(name) or Endpoint(name, profile=name)
        await asyncio.to_thread(_load, location)
        from tui.places.s3.budget import Budget
        from tui.places.s3.place import S3Place
        from tui.places.s3.session import connect

        store = await connect(endpoint, location, self._silence_s)
        budget = self._budgets.setdefault(name, Budget())
        return S3Place(store, self._ledger, budget, self._sizes)


def _load(location: Location) -> None:
    """Load the library and what is built on it, or say how to have it."""
    try:
        import aiobotocore.session  # type: ignore[import-untyped]  # noqa: F401
    except ImportError as error:
        message = f"cannot connect to {location}: S3 needs the extra: {EXTRA}"
        raise PlaceError(message, f"Run {EXTRA}, then retry.", location=location) from error
    if not mimetypes.inited:
        mimetypes.init()  # it reads files of the system, where the first name is asked about
    import tui.places.s3.place
    import tui.places.s3.session  # noqa: F401
