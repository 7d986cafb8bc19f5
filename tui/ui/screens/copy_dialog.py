"""What F5 and F6 ask before a copy or a move goes into the queue: where to, and on what terms."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label, Static

from tui.config import parse_rate, rate_text
from tui.format import count, entries, size
from tui.model.entry import EntryKind
from tui.model.error import FerryError, Unsupported, UsageError
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.fidelity import ALL_TRAITS, Trait
from tui.model.job import NORMAL_PRIORITY, Conflict, JobKind, Request
from tui.model.location import Location
from tui.model.siblings import Siblings
from tui.ui.addresses import host_of, same_place
from tui.ui.screens.dialog import Dialog, feedback, plain
from tui.ui.screens.totals import TotalsLine
from tui.ui.widgets.choice import Choice
from tui.ui.widgets.path_input import PathInput, written
from tui.ui.widgets.patterns_input import PatternsInput, without
from tui.ui.widgets.toggles import Toggles
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult

    from tui.client.base import Places
    from tui.model.entry import Space, Totals

CONFLICTS = (
    ("Ask", Conflict.ASK),
    ("Skip", Conflict.SKIP),
    ("Overwrite", Conflict.OVERWRITE),
    ("If newer", Conflict.NEWER),
    ("Keep both", Conflict.RENAME),
)
PRIORITIES = (("1 lowest", 1), ("2", 2), ("3 normal", 3), ("4", 4), ("5 highest", 5))
LOOKED_AT_ONCE = 2_000
"""So many names are looked for at the target before other things go on."""
REST_S = 0.4
"""A far target is looked at when nothing was typed for so long."""
_VERBS = {JobKind.COPY: "Copy", JobKind.MOVE: "Move"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: into a folder, which may have to be made first, or to a name of its own."""

    location: Location
    into: bool
    is_new: bool = False


async def resolve(places: Places, location: Location, *, single: bool, as_folder: bool) -> Target:
    """Say what a target that was typed means.

    Args:
        single: Whether there is one source, which may get a new name.
        as_folder: Whether it was written with a slash at its end.
    Raises:
        UsageError: Something that is not a folder stands where a folder is needed.
    """
    from tui.model.error import NotFound

    try:
        entry = await places.stat(location, follow=True)
    except NotFound:
        return Target(location, into=as_folder or not single, is_new=True)
    if entry.kind.opens_as_folder:
        return Target(location, into=True)
    if single and not as_folder:
        return Target(location, into=False)
    raise UsageError(f"{location} is not a folder", "Choose another target.")


def traits_between(source: Location, target: Location) -> frozenset[Trait]:
    """Return what can be kept on the way: of the rest, other hosts know nothing."""
    return ALL_TRAITS if source.is_local and target.is_local else frozenset({Trait.TIMES})


class CopyDialog(Dialog[Request]):
    """Asks where to, and on what terms; its result is the request to submit.

    Args:
        kind: COPY or MOVE.
        sources: What is copied or moved.
        folder: The folder proposed.
        places: For completion, totals and free space.
        conflict: The rule proposed.
        verify: Whether verifying is proposed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "queue", "Queue", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Field before", show=False),
    ]

    def __init__(
        self,
        kind: JobKind,
        sources: Sequence[Location],
        folder: Location,
        places: Places,
        conflict: Conflict = Conflict.ASK,
        verify: bool = False,
    ) -> None:
        one = (
            f'"{visible(sources[0].name)}"'
            if len(sources) == 1
            else entries(len(sources), "entry", "entries")
        )
        super().__init__(
            f"{_VERBS[kind]} {one}", "Enter queue it · Tab complete, next · ← → Space choose · Esc leave"
        )
        self.kind, self.sources, self.folder = kind, sources, folder
        self._places, self._conflict, self._verify = places, conflict, verify
        self._totals: Totals | None = None
        self._space: Space | None = None

    def compose_body(self) -> ComposeResult:
        rules = CONFLICTS if self._conflict is not Conflict.FAIL else (*CONFLICTS, ("Fail", Conflict.FAIL))
        with Horizontal(classes="row"):
            yield Label("From", classes="name")
            yield Static(plain(str(self.sources[0].parent)), classes="value", markup=False)
        with Horizontal(classes="row"):
            yield Label("", classes="name")
            yield TotalsLine(self._places, self.sources)
        with Horizontal(classes="row"):
            yield Label("To", classes="name")
            yield PathInput(self._proposed(), self._places, self._base, leaves=True, id="target")
        with Horizontal(classes="row"):
            yield Label("", classes="name")
            yield feedback()
        with Horizontal(classes="row gap"):
            yield Label("Name taken", classes="name")
            yield Choice(rules, self._conflict, id="conflict")
        with Horizontal(classes="row"):
            yield Label("Verify", classes="name")
            yield Choice((("no", False), ("read back and compare", True)), self._verify, id="verify")
        traits = [trait for trait in Trait if trait in traits_between(self.sources[0], self.folder)]
        with Horizontal(classes="row"):
            yield Label("Keep", classes="name")
            yield Toggles([(str(trait), trait) for trait in traits], frozenset(traits), id="preserve")
        if self.kind is JobKind.COPY:
            with Horizontal(classes="row"):
                yield Label("Leave out", classes="name")
                yield PatternsInput(id="exclude")
        with Horizontal(classes="row"):
            yield Label("Priority", classes="name")
            yield Choice(PRIORITIES, NORMAL_PRIORITY, id="priority")
        with Horizontal(classes="row"):
            yield Label("Rate limit", classes="name")
            yield Input(rate_text(None), compact=True, id="limit")
        with Horizontal(classes="row"):
            yield Label("Start", classes="name")
            yield Choice((("in turn", False), ("paused", True)), False, id="paused")

    @property
    def _base(self) -> Location:
        """What a relative path is taken from: the source's folder, or the target's where that is another place."""
        source = self.sources[0].parent
        return source if same_place(source, self.folder) else self.folder

    def _proposed(self) -> str:
        """Return the folder proposed; for one entry put into its own folder again, its name, to be changed."""
        text = written(self.folder)
        if len(self.sources) == 1 and self.folder == self.sources[0].parent:
            return written(self.sources[0])[:-1]
        return text

    def on_mount(self) -> None:
        target = self.query_one("#target", PathInput)
        target.focus()
        target.cursor_position = len(target.value)
        self._look()

    @on(TotalsLine.Counted)
    def _counted(self, event: TotalsLine.Counted) -> None:
        self._totals = event.totals
        self._say_room()

    @on(Input.Changed)
    def _changed(self) -> None:
        if self._refusal:
            self._refusal = ""
            self._say_room()

    @on(Input.Changed, "#target")
    def _target_changed(self) -> None:
        self._look()

    @on(Input.Changed, "#exclude")
    @work(exclusive=True, group="exclude", exit_on_error=False)
    async def _exclusion_changed(self) -> None:
        """Count without what is left out, when typing rests."""
        await asyncio.sleep(REST_S)
        with contextlib.suppress(UsageError):  # a pattern that is not typed to its end, maybe
            self.query_one(TotalsLine).count_without(await self._exclusion())

    async def _exclusion(self) -> Exclusion:
        return await self.query_one(PatternsInput).exclusion() if self.kind is JobKind.COPY else NOTHING

    @on(PathInput.Offered)
    def _offered(self, event: PathInput.Offered) -> None:
        if event.texts:
            names = [text.rstrip("/").rpartition("/")[2] + "/" for text in event.texts]
            self.say("  ".join(names[:12]) + (f"  … {len(names) - 12} more" if len(names) > 12 else ""))

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self) -> None:
        """Say what the target is, and how much room there is. What is far is looked at when typing rests."""
        self._space = None
        try:
            far = self._far_target
            if far is not None:
                await asyncio.sleep(REST_S)
                if not any(same_place(far, known) for known in (self.folder, self.sources[0])):
                    self._note = "another host: looked at when this is queued"  # half a name is no host yet
                    self._say_room()
                    return
            target = await self._resolve()
            folder = target.location if target.into and not target.is_new else target.location.parent
            with contextlib.suppress(Unsupported):  # not every place tells
                self._space = await self._places.space(folder)
            self._note = "into this folder" if target.into else "under this name"
            self._note += (
                ", which will be made" if target.is_new and target.into else await self._taken(target)
            )
        except FerryError as error:
            self._note = error.message if isinstance(error, UsageError) else "its folder will be made"
        self._say_room()

    _note = ""
    _refusal = ""
    """Why it was not queued; stays until something is changed, whatever is counted meanwhile."""

    @property
    def _far_target(self) -> Location | None:
        """The target, where it is on another host; raises UsageError where what is typed names nothing."""
        location = self.query_one("#target", PathInput).location
        return None if location.is_local else location

    async def _taken(self, target: Target) -> str:
        """Return which of the names stand at the target already, and what becomes of folders among them."""
        if not target.into:
            return "" if target.is_new else f": {visible(target.location.name)} stands there"
        taken = merged = 0
        sources = iter(self.sources)
        while some := [source.name for source in islice(sources, LOOKED_AT_ONCE)]:
            there = await self._places.details(target.location, some)
            if not (taken_now := sum(size_bytes >= 0 for size_bytes in there.sizes_bytes)):
                continue
            here = await self._places.details(self.sources[0].parent, some)
            pairs = zip(here.kinds, there.kinds, strict=True)
            taken += taken_now
            merged += sum(pair == (EntryKind.FOLDER, EntryKind.FOLDER) for pair in pairs)
        if not taken:
            return ""
        if len(self.sources) == 1:
            return ", merged with the folder of that name" if merged else ", where the name is taken"
        folders = f", {entries(merged, 'folder is', 'folders are')} merged" if merged else ""
        return f", where {count(taken)} of {count(len(self.sources))} names are taken{folders}"

    def _say_room(self) -> None:
        if self._refusal:
            return
        room = f" · {size(self._space.free_bytes)} free" if self._space else ""
        tight = bool(self._space and self._totals and self._totals.size_bytes > self._space.free_bytes)
        moved_within = self.kind is JobKind.MOVE  # on one filesystem a move needs no room
        self.say(
            self._note + room + (", which may be too little" if tight and not moved_within else ""),
            wrong=tight,
        )

    async def _resolve(self) -> Target:
        field = self.query_one("#target", PathInput)
        single = len(self.sources) == 1
        return await resolve(
            self._places, field.location, single=single, as_folder=field.value.rstrip().endswith("/")
        )

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_queue()

    @work(exclusive=True, group="queue", exit_on_error=False)
    async def action_queue(self) -> None:
        """End with the request, unless something in it will not do."""
        try:
            if far := self._far_target:
                self.waits_for_host = True
                self.workers.cancel_group(self, "look")
                self.say(f"asking {visible(host_of(far))} …")
            request = await self._request()
        except FerryError as error:
            self._refusal = ". ".join(filter(None, (error.message, error.remedy)))
            self.say(self._refusal, wrong=True)
            return
        finally:
            self.waits_for_host = False
        if self.is_current:
            self.dismiss(request)
        else:
            self._ended_with = request

    _ended_with: Request | None = None
    """The result, while a host's question is still over this dialog."""

    def on_screen_resume(self) -> None:
        if self._ended_with is not None:
            self.dismiss(self._ended_with)

    async def _request(self) -> Request:
        limit_bytes_s = parse_rate(self.query_one("#limit", Input).value or "off")
        exclude = await self._exclusion()
        sources = await without(exclude, self.sources, self._places)
        target = await self._resolve()
        self._check(target)
        if target.is_new:
            folder = target.location if target.into else target.location.parent
            await self._make_missing(folder)
        return Request(
            kind=self.kind,
            sources=sources,
            target=target.location,
            into=target.into,
            conflict=self.query_one("#conflict", Choice).value,
            priority=self.query_one("#priority", Choice).value,
            limit_bytes_s=limit_bytes_s,
            paused=self.query_one("#paused", Choice).value,
            verify=self.query_one("#verify", Choice).value,
            exclude=exclude,
            preserve=self.query_one("#preserve", Toggles).values
            & traits_between(self.sources[0], target.location),
        )

    def _check(self, target: Target) -> None:
        """Refuse what can only fail: a folder put into itself, an entry onto itself."""
        sources: Iterable[Location] = self.sources
        if (
            isinstance(self.sources, Siblings) and target.into
        ):  # there may be a million: one tells for all, or is it
            sources = (*self.sources[:1], *self.sources.towards(target.location))
        for source in sources:
            final = target.location.child(source.name) if target.into else target.location
            if final == source:
                raise UsageError("source and target are the same", "Change the name or the folder.")
            if source.holds(final):
                raise UsageError(
                    f"{visible(source.name)} cannot be put inside itself", "Choose another folder."
                )

    async def _make_missing(self, folder: Location) -> None:
        from tui.model.error import AlreadyExists, NotFound

        try:
            await self._places.stat(folder, follow=True)
        except NotFound:
            with contextlib.suppress(AlreadyExists):  # made by someone else meanwhile
                await self._places.make_folder(folder)
