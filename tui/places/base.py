"""What a place is: a store of files behind one small asynchronous protocol.

The local disk copies to itself by other means (`tui.places.local`, whole folders at a time in threads). Everything that
crosses from one place to another goes through `Place`: the engine knows no SFTP and no S3, and asks `Capabilities`
where places differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tui.model.ask import Answer, Ask
    from tui.model.entry import Entry, Space
    from tui.model.location import Location
    from tui.model.upload import Unfinished


Buffer = bytes | memoryview
"""Bytes that do not change any more."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a place can do. Callers ask, then fall back; they never test the class."""

    symlinks: bool = False
    modes: bool = False
    """Permission bits are kept."""
    sets_modes: bool = True
    """They can be given, too, where there are such: a server may tell them and set none."""
    sets_times: bool = False
    """The time of last change can be given to a file. (A listing tells it in any case, unless `lists_times` is off.)"""
    time_step_ns: int = 1
    """Times are kept to so many nanoseconds: two that differ by less are the same time."""
    times_ns: tuple[int, int] | None = None
    """The first and the last time it keeps; None: any. What is earlier or later gets the nearest of them."""
    lists_times: bool = True
    """A listing tells the time a file was given. Otherwise only `stat` does, and the listing's time is another."""
    renames: bool = False
    """A file or a folder gets another name in one step."""
    folders: bool = True
    """Folders are things of their own: they have times and modes, and there are empty ones that stay."""
    resumes: bool = False
    """A half file is gone on with by another writer, also after a crash."""
    copies: bool = False
    """A file is copied within the place without passing through here."""
    space: bool = False
    """It tells how much room it has."""
    flushes: bool = False
    """It can bring what was written onto its disk."""
    uploads: bool = False
    """Half files are out of sight, and stay until they are given up: it is an `Uploads` too."""
    pipeline: int = 32
    """So many small files are worth having under way at once."""
    part_bytes: int = 1 << 20
    """Bytes to read or write in one call."""
    ahead_bytes: int = 4 << 20
    """So much of a large file is worth asking for ahead of what has come: what is on its way, and no more."""

    @property
    def takes_modes(self) -> bool:
        return self.modes and self.sets_modes

    def nearest_time(self, mtime_ns: int) -> int:
        """Return the time within `times_ns` that is nearest to one."""
        return mtime_ns if self.times_ns is None else min(max(mtime_ns, self.times_ns[0]), self.times_ns[1])

    def keeps_time(self, mtime_ns: int) -> bool:
        """Say whether a file can be given this very time."""
        return (
            self.sets_times and self.nearest_time(mtime_ns) == mtime_ns and not mtime_ns % self.time_step_ns
        )


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a file, folder or link is to have besides its content. None: left as it comes."""

    mode: int | None = None
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What a half file is a half of. One of another identity is never gone on with."""

    tag: str
    """The job's."""
    size_bytes: int
    mtime_ns: int


class Reader(Protocol):
    """An open file. `entry` is what it was when it was opened."""

    entry: Entry

    async def read(self, offset: int, size_bytes: int) -> bytes:
        """Return up to `size_bytes` from `offset`; fewer only at the end of the file.

        Several reads may be under way at once.
        """
        ...

    async def pieces(self, offset: int, size_bytes: int) -> Sequence[Buffer]:
        """Return the same as `read` does, in the pieces it came in.

        What only passes through need not be put together: that is a copy of it in memory.
        """
        ...

    async def look(self) -> Entry:
        """Return what the open file is now: its size and time tell whether it was written to meanwhile."""
        ...

    async def close(self) -> None:
        """Let go of it; never raises."""
        ...


class Writer(Protocol):
    """A file in the making. Nobody sees it under its final name before `publish`.

    One of `publish`, `suspend` and `discard` ends it, also after an error.
    """

    start: int
    """Bytes of an earlier try that are there, without gaps: writing goes on here."""

    async def check(self, size_bytes: int) -> bytes | None:
        """Return the last bytes before `start`, at most so many, to be compared with the source.

        None: the place vouches for them.
        """
        ...

    async def rewind(self) -> None:
        """Throw away what is there: `start` becomes 0."""
        ...

    async def write(self, offset: int, *pieces: Buffer) -> None:
        """Write some bytes, one piece behind the other. Calls follow each other without gap from `start`.

        It may return before they are there: an error then comes from a later call. It waits where too much is under
        way.
        """
        ...

    async def publish(self, attributes: Attributes, *, replace: bool, flush: bool) -> None:
        """Give the complete file its attributes (the time last) and then its name, in one step.

        Args:
            replace: What stands under the name, if it is not a folder, makes way in that step.
            flush: Have it on the disk first, where `Capabilities.flushes`.
        Raises:
            AlreadyExists: The name is taken and `replace` is False. The half file stays: `publish` may be called again.
        """
        ...

    async def suspend(self) -> None:
        """Close it and keep what is there (`Capabilities.resumes`), else remove it; never raises."""
        ...

    async def discard(self) -> None:
        """Close it and remove what is there; never raises."""
        ...


class Place(Protocol):
    """One store, connected. Every method raises a PlaceError, whose text can be shown as it is.

    Where the connection is lost it raises PlaceUnavailable, and this place is of no use any more: its opener makes a
    new one.
    Nothing follows links but `stat(follow=True)`, `list` and `read` of what is named.
    """

    capabilities: Capabilities

    @property
    def alive(self) -> bool:
        """The connection has not been lost, as far as is known."""
        ...

    async def resolve(self, location: Location) -> Location:
        """Return an absolute location for one that stands for something else, such as `/~` for the home folder."""
        ...

    def list(self, folder: Location) -> AsyncIterator[Sequence[Entry]]:
        """Yield the entries of a folder in pages, as they come; links as links, without where they point.

        Closing the iterator stops it.

        Raises:
            NotListed: At the end, where not all can be told by names.
        """
        ...

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        """Return one entry in full; of a link also where it points, unless it is followed."""
        ...

    async def get(
        self, location: Location, most_bytes: int, seen: Entry | None = None
    ) -> tuple[Entry, bytes]:
        """Return a small file whole, with what it was when it was read, in as few round trips as can be.

        Args:
            seen: What a listing told of it: where it is that still, a place need not look once more before it reads.
        Raises:
            Unsupported: It is no regular file, or it has more than `most_bytes` by now.
        """
        ...

    async def put(
        self, location: Location, data: bytes, attributes: Attributes, tag: str, *, replace: bool, flush: bool
    ) -> None:
        """Make a small file whole, in as few round trips as can be: as a `Writer` would, partial name included."""
        ...

    async def open_reader(self, location: Location) -> Reader:
        """Open a regular file, links not followed."""
        ...

    async def open_writer(self, location: Location, identity: Identity) -> Writer:
        """Begin a file, or go on with what an earlier writer of the same location and identity left."""
        ...

    async def copy(
        self, source: Location, target: Location, attributes: Attributes, tag: str, *, replace: bool
    ) -> None:
        """Copy a file within the place (`Capabilities.copies`), by a partial name where there are such."""
        ...

    async def make_folder(self, location: Location, mode: int | None = None) -> None:
        """Create one folder in an existing one. Raises AlreadyExists where the name is taken, by whatever."""
        ...

    async def make_symlink(
        self, location: Location, points_to: str, tag: str, *, replace: bool, mtime_ns: int | None = None
    ) -> bool:
        """Create a symbolic link; say whether it has the time it was to have, if any."""
        ...

    async def remove_file(self, location: Location) -> None:
        """Remove anything that is not a folder; a link itself."""
        ...

    async def remove_folder(self, location: Location) -> None:
        """Remove an empty folder. Raises NotEmpty."""
        ...

    async def rename(self, location: Location, new: Location, *, replace: bool = False) -> None:
        """Give an entry another name in one step. Raises AlreadyExists where it is taken and `replace` is False."""
        ...

    async def set_attributes(self, location: Location, attributes: Attributes) -> None:
        """Set what is given of one file or folder; a link is refused, not followed."""
        ...

    async def space(self, folder: Location) -> Space:
        """Raises Unsupported without `Capabilities.space`."""
        ...

    async def abandon(self, folder: Location, tag: str) -> int:
        """Remove what writers of this tag left half done for names directly in a folder; return how many."""
        ...

    async def flush(self, folder: Location) -> None:
        """Bring what was written below a folder onto the disk, in one go, where the place can do that; else nothing."""
        ...

    async def close(self) -> None:
        """Let go of the connection; never raises."""
        ...


class Uploads(Protocol):
    """What places of `Capabilities.uploads` tell of half files, whoever began them."""

    async def unfinished(self, older_than_s: float) -> Sequence[Unfinished]:
        """Return those begun so long ago; 0 stands for all."""
        ...

    async def give_up(self, upload: Unfinished) -> None:
        """Remove what there is of one."""
        ...


class Asker(Protocol):
    """Whom an opener asks what only a person knows."""

    async def ask(self, ask: Ask) -> Answer:
        """Return what somebody answered, however long it takes.

        Raises:
            AuthenticationFailed: Somebody said that there is no answer.
        """
        ...


class Opener(Protocol):
    """Makes places of one scheme."""

    async def open(self, location: Location, asker: Asker) -> Place:
        """Connect to what holds a location. Cancelling gives up.

        Raises:
            PlaceError: PlaceUnavailable where trying again may help; AuthenticationFailed, HostKeyMismatch, NotFound
                where it does not.
        """
        ...
