"""The queue pane as a person uses it: jobs come and go, keys act on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fake_client import FakeClient
from msgspec.structs import replace
from textual.app import App
from textual.widgets import Button, Input, Static

from tui.config import ConfirmSettings, Settings
from tui.model.entry import EntryKind, Facts
from tui.model.error import EngineUnreachable, NotPossible
from tui.model.fidelity import Loss, Lost
from tui.model.job import Conflict, Disconnected, JobError, JobKind, JobState, Progress, Question, Request
from tui.model.location import Location
from tui.model.misfit import Misfit, Misfits, Names, Unfit
from tui.resources import styles_dir
from tui.ui import notes, queue_feed
from tui.ui.screens import patient
from tui.ui.screens.cancel_jobs import CancelJobs
from tui.ui.screens.dialog import Box
from tui.ui.screens.job_details import JobDetails
from tui.ui.screens.job_errors import JobErrors
from tui.ui.screens.picker import Picker
from tui.ui.screens.prompt import Prompt
from tui.ui.screens.question import QuestionScreen
from tui.ui.screens.unfit_names import UnfitNames
from tui.ui.themes import shared_variables
from tui.ui.widgets.error_list import PAGE, ErrorList
from tui.ui.widgets.queue_pane import QueuePane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.pilot import Pilot


class QueueApp(App[None]):
    CSS_PATH = [styles_dir() / "queue.tcss"]  # noqa: RUF012 (Textual reads it)

    def __init__(self, client: FakeClient, settings: Settings | None = None) -> None:
        super().__init__()
        self.client, self.settings = client, settings or Settings()
        self.told: list[object] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return shared_variables(self.current_theme)

    def compose(self) -> ComposeResult:
        yield QueuePane(self.client, self.settings, paint_s=0.0)

    def on_queue_pane_job_ended(self, event: QueuePane.JobEnded) -> None:
        self.told.append(("ended", event.job.id))

    def on_queue_pane_question_asked(self, event: QueuePane.QuestionAsked) -> None:
        self.told.append(("asked", event.job.id))

    def on_queue_pane_location_asked(self, event: QueuePane.LocationAsked) -> None:
        self.told.append((str(event.folder), event.cursor_on))

    def on_queue_pane_files_asked(self, event: QueuePane.FilesAsked) -> None:
        self.told.append("files")

    @property
    def pane(self) -> QueuePane:
        return self.query_one(QueuePane)


def request(name: str = "photos", kind: JobKind = JobKind.COPY, **changes: object) -> Request:
    source = Location.local("/home/ann").child(name)
    return replace(Request(kind=kind, sources=(source,), target=Location.local("/mnt/backup")), **changes)


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    """Wait for something to become true; the test's time limit ends what never does."""
    while not true():
        await pilot.pause(0.005)


def lines(pane: QueuePane) -> list[str]:
    return [pane.render_line(y).text.rstrip() for y in range(pane.size.height)]


def line_of(pane: QueuePane, name: str) -> str:
    """Return the line on which a job stands."""
    return next(line for line in lines(pane) if f" {name} → " in line)


async def started(pilot: Pilot[None], client: FakeClient) -> QueuePane:
    pane = pilot.app.query_one(QueuePane)
    await until(pilot, lambda: pane.state.status is not None and len(pane.jobs) == len(client.jobs_by_id))
    pane.focus()
    await pilot.pause()
    return pane


def called(client: FakeClient, method: str) -> list[tuple[object, ...]]:
    return [call[1:] for call in client.calls if call[0] == method]


@pytest.fixture
def client() -> FakeClient:
    made = FakeClient()
    made.add_job(request("photos"), state=JobState.RUNNING, progress=Progress(1, 4, 10, 40, rate_bytes_s=5.0))
    made.add_job(request("music"))
    made.add_job(request("docs"), state=JobState.PAUSED)
    made.add_job(request("old"), state=JobState.FAILED, ended_at=9.0, progress=Progress(1, 3, errors=2))
    made.add_job(request("older"), state=JobState.DONE, ended_at=8.0)
    return made


async def test_an_empty_queue_says_how_to_fill_it() -> None:
    app = QueueApp(FakeClient())
    async with app.run_test(size=(80, 12)) as pilot:
        await until(pilot, lambda: app.pane.state.status)
        await until(pilot, lambda: "Mark files with Space, then F5 copies" in lines(app.pane)[1])


async def test_an_empty_queue_names_the_keys_the_user_chose() -> None:
    app = QueueApp(FakeClient(), Settings(keys={"pane.copy": ("c",), "pane.mark": ("m",)}))
    async with app.run_test(size=(80, 12)) as pilot:
        await until(pilot, lambda: "Mark files with m, then c copies" in lines(app.pane)[1])


async def test_jobs_appear_change_and_go(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        assert "► running   copy   photos → /mnt/backup/" in line_of(pane, "photos")
        client.set_job(1, progress=Progress(3, 4, 30, 40))
        await until(pilot, lambda: " 75%" in line_of(pane, "photos"))
        client.add_job(request("new"))
        await until(pilot, lambda: any("new → " in line for line in lines(pane)))
        await client.remove([5])
        await until(pilot, lambda: not any("older" in line for line in lines(pane)))


async def test_why_there_is_no_engine_is_told_to_the_last_word() -> None:
    client = FakeClient({})
    words = [f"word{n}" for n in range(30)]
    async with QueueApp(client).run_test(size=(60, 24)) as pilot:
        pane = await started(pilot, client)
        client.push(Disconnected(" ".join(words)))
        await until(pilot, lambda: "lost" in lines(pane)[0])
        await until(pilot, lambda: " ".join(lines(pane)[1:]).split() == words)
        assert all(line.startswith("  ") for line in lines(pane)[1:] if line)


async def test_a_lost_engine_is_told_and_the_jobs_stay(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        client.push(Disconnected("the engine does not answer"))
        await until(pilot, lambda: "engine lost: trying again" in lines(pane)[0])
        assert line_of(pane, "photos")
        client.announce()
        await until(pilot, lambda: "lost" not in lines(pane)[0])


async def test_an_engine_that_falls_silent_while_a_job_runs_is_told_and_no_rate_is_made_up(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_feed, "QUIET_S", 0.0)
    monkeypatch.setattr(queue_feed, "ANSWERS_WITHIN_S", 0.01)
    client.engine = replace(client.engine, rate_bytes_s=5.0)
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        await until(pilot, lambda: " 5 B/s" in line_of(pane, "photos"))
        client.freeze()
        await until(pilot, lambda: "engine does not answer" in lines(pane)[0])
        assert "5 B/s" not in line_of(pane, "photos")
        client.thaw()
        await until(pilot, lambda: "does not answer" not in lines(pane)[0])
        assert " 5 B/s" in line_of(pane, "photos")


async def test_an_engine_with_nothing_to_do_is_not_asked_whether_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue_feed, "QUIET_S", 0.0)
    client = FakeClient()
    client.add_job(request(), state=JobState.PAUSED)
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        await started(pilot, client)
        for _ in range(20):
            await pilot.pause(0.001)
        assert called(client, "status") == []
        client.set_job(1, state=JobState.RUNNING)
        await until(pilot, lambda: called(client, "status"))


async def test_a_key_that_the_engine_does_not_answer_says_so(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "SLOW_S", 0.01)
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        await started(pilot, client)
        client.freeze()
        await pilot.press("p")
        await until(pilot, lambda: notes.DOES_NOT_ANSWER in [note.message for note in app._notifications])
        client.thaw()
        await until(pilot, lambda: client.jobs_by_id[1].state is JobState.PAUSED)


async def test_hostile_names_are_shown_as_marks() -> None:
    client = FakeClient()
    client.add_job(request("\x1b]52;c;x\x07\nevil"))
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        shown = "".join(lines(pane))
        assert "evil" in shown
        assert all(character.isprintable() or character > "\u2000" for character in shown)


async def test_only_the_cells_that_changed_are_painted(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        await pilot.pause()
        asked: list[object] = []
        real = pane.refresh
        monkeypatch.setattr(
            pane, "refresh", lambda *regions, **kind: (asked.append(regions), real(*regions, **kind))[1]
        )
        client.set_job(1, progress=replace(client.jobs_by_id[1].progress, rate_bytes_s=6.0))
        await until(pilot, lambda: "6 B/s" in line_of(pane, "photos"))
        assert [region.size.area for regions in asked for region in regions] == [1]
        asked.clear()
        client.announce()
        await until(pilot, lambda: pane.state.status is client.engine)
        await pilot.pause()
        assert asked == []


async def test_bursts_of_updates_are_painted_at_the_pace_of_the_line(client: FakeClient, monkeypatch) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        pane._paint_s = 30.0
        painted = 0
        real = pane.take_over

        def count() -> None:
            nonlocal painted
            painted += 1
            real()

        monkeypatch.setattr(pane, "take_over", count)
        for done in range(50):
            client.set_job(1, progress=Progress(done, 100))
        await until(pilot, lambda: pane.state.get(1).progress.files_done == 49)
        await pilot.pause()
        assert painted <= 1


async def test_the_pane_says_how_many_lines_it_could_use(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        assert pane.lines_wanted == 1 + 2 + 4


async def test_what_happened_is_told_upward(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        await started(pilot, client)
        client.set_job(1, state=JobState.DONE, ended_at=10.0)
        client.set_job(2, progress=Progress(questions=1))
        await until(pilot, lambda: ("ended", 1) in app.told and ("asked", 2) in app.told)
        assert len(app.told) == 2


async def test_the_cursor_stays_on_its_job_when_the_order_changes(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        await pilot.press("j")
        assert pane.current.id == 2
        client.set_job(2, state=JobState.WAITING)
        await until(pilot, lambda: pane.jobs[0].id == 2)
        assert pane.current.id == 2
        await client.cancel([2])
        await client.remove([2])
        await until(pilot, lambda: all(job.id != 2 for job in pane.jobs))
        assert pane.current is not None


async def test_keys_move_the_cursor_and_the_page_follows() -> None:
    client = FakeClient()
    for number in range(50):
        client.add_job(request(f"job{number}"))
    app = QueueApp(client)
    async with app.run_test(size=(80, 12)) as pilot:
        pane = await started(pilot, client)
        await pilot.press("G")
        assert pane.current.id == 50
        assert any("job49" in line for line in lines(pane))
        assert "50/50" in lines(pane)[0]
        await pilot.press("g", "g")
        assert pane.current.id == 1
        assert "job0 " in lines(pane)[1]
        await pilot.press("pagedown")
        assert 5 <= pane.current.id <= 12
        await pilot.press("pageup", "down", "k", "j")
        assert pane.current.id == 2


async def test_actions_apply_to_marks_else_to_the_cursor(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        await pilot.press("p")
        await until(pilot, lambda: client.jobs_by_id[1].state is JobState.PAUSED)
        await until(pilot, lambda: pane.current.state is JobState.PAUSED)
        await pilot.press("p")
        await until(pilot, lambda: client.jobs_by_id[1].state is JobState.QUEUED)
        await pilot.press("space", "space", "K")
        await until(pilot, lambda: called(client, "reorder"))
        assert called(client, "reorder") == [((1, 2), "up")]
        assert line_of(pane, "photos").startswith("●")


@pytest.mark.parametrize(
    ("keys", "method", "arguments"),
    [
        ("P", "pause", ((1, 2),)),
        ("s", "start", ((2,),)),
        ("J", "reorder", ((2,), "down")),
        ("g j", "reorder", ((2,), "bottom")),
        ("g k", "reorder", ((2,), "top")),
        ("+", "set_priority", ((2,), 4)),
        ("-", "set_priority", ((2,), 2)),
        ("R", "retry", ((4,),)),
        ("C", "remove", (None,)),
        ("U", "restore", ((),)),
        ("g g r", "retry", ((4,),)),
        ("G d", "remove", ((5,),)),
    ],
)
async def test_a_key_asks_the_queue_for_one_thing(client, keys, method, arguments) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        await started(pilot, client)
        await pilot.press("j", *keys.split())
        await until(pilot, lambda: called(client, method))
        assert called(client, method) == [arguments]


async def test_what_cannot_be_done_is_said_and_not_asked(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("d", "r", "s")
        await pilot.pause()
        assert [call for call in client.calls if call[0] in ("remove", "retry", "start")] == []
        said = [note.message for note in app._notifications]
        assert said[0].startswith("Only ended jobs can be removed")
        assert len(said) == 3


async def test_an_error_of_the_queue_is_shown_with_its_remedy(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        client.unreachable = True
        await pilot.press("p")
        await until(pilot, lambda: len(app._notifications))
        [note] = app._notifications
        assert "not answering" in note.message
        assert "ferry doctor" in note.message


async def test_cancelling_asks_whether_finished_files_stay(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, CancelJobs))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, CancelJobs))
        assert called(client, "cancel") == []
        for key, keep in (("k", True), ("r", False)):
            client.calls.clear()
            await pilot.press("x")
            await until(pilot, lambda: isinstance(app.screen, CancelJobs))
            await pilot.press(key)
            await until(pilot, lambda: called(client, "cancel"))
            assert called(client, "cancel") == [((1,), keep)]
            client.set_job(1, state=JobState.RUNNING)
            await until(pilot, lambda: app.pane.state.get(1).state is JobState.RUNNING)


async def test_cancelling_does_not_ask_where_the_user_said_so(client: FakeClient) -> None:
    app = QueueApp(client, Settings(confirm=ConfirmSettings(cancel=False)))
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("x")
        await until(pilot, lambda: called(client, "cancel"))
        assert called(client, "cancel") == [((1,), True)]


async def test_the_safe_button_is_chosen_first(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.focused, Button))
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, CancelJobs))
        assert called(client, "cancel") == []


async def test_limits_are_typed_and_wrong_ones_refused(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        for key, ids in (("b", (1,)), ("B", None)):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.focused, Input))
            app.focused.value = "fast"
            await pilot.press("enter")
            assert isinstance(app.screen, Prompt)
            app.focused.value = "20MB/s"
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(app.screen, Prompt))
            await until(pilot, lambda: called(client, "limit"))
            assert called(client, "limit") == [(ids, 20_000_000)]
            client.calls.clear()
        await until(pilot, lambda: "limit 20MB/s" in lines(app.pane)[0])


async def test_slots_are_a_number_in_range(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.focused, Input))
        for wrong in ("0", "33", "two", "²"):
            app.focused.value = wrong
            await pilot.press("enter")
            assert isinstance(app.screen, Prompt)
        app.focused.value = "8"
        await pilot.press("enter")
        await until(pilot, lambda: "8 at once" in lines(app.pane)[0])


async def test_the_conflict_rule_of_a_job_is_chosen_from_a_list(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"skip", "enter")
        await until(pilot, lambda: called(client, "set_conflict"))
        assert called(client, "set_conflict") == [((1,), Conflict.SKIP)]


async def test_the_rule_of_a_failed_job_is_changed_where_its_errors_say_so(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await started(pilot, client)
        await until(pilot, lambda: pane.jobs[0].state is JobState.FAILED)
        await pilot.press("g", "g", "e")
        await until(pilot, lambda: isinstance(app.screen, JobErrors))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await pilot.press(*"skip", "enter")
        await until(pilot, lambda: called(client, "set_conflict"))
        assert called(client, "set_conflict") == [((4,), Conflict.SKIP)]
        assert isinstance(app.screen, JobErrors)


async def test_places_of_a_job_are_asked_for_upward(client: FakeClient) -> None:
    client.add_job(request("one.txt", into=False, target=Location.local("/mnt/two.txt")), priority=5)
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("g", "d", "g", "s", "j", "g", "d", "escape")
        await until(pilot, lambda: len(app.told) == 4)
        assert app.told == [("/mnt/backup", "photos"), ("/home/ann", "photos"), ("/mnt", "two.txt"), "files"]


async def test_a_path_that_is_no_text_is_copied_as_its_url() -> None:
    client = FakeClient()
    client.add_job(request("x", target=Location.local("/mnt/\udcff")))
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("y")
        assert app.clipboard == "file:///mnt/%FF"
        assert "file:///mnt/%FF" in next(iter(app._notifications)).message


async def test_a_click_puts_the_cursor_on_a_job_and_two_open_it(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        pane = await started(pilot, client)
        row = next(y for y, line in enumerate(lines(pane)) if "docs" in line)
        await pilot.click(QueuePane, offset=(10, row))
        assert pane.current.id == 3
        await pilot.click(QueuePane, offset=(10, row), times=2)
        await until(pilot, lambda: isinstance(app.screen, JobDetails))


def ask(client: FakeClient, job: int, count: int = 1) -> None:
    for _ in range(count):
        number = len(client.open_questions) + 1
        name = f"song{number}.flac"
        new, old = Facts(EntryKind.FILE, 2048, 2 * 10**18), Facts(EntryKind.FILE, 1024, 10**18)
        source, target = Location.local(f"/home/ann/{name}"), Location.local(f"/mnt/backup/{name}")
        client.add_question(Question(number, job, source, target, new, old, 0.0))


def said(app: App[None], selector: str) -> str:
    return str(app.screen.query_one(selector).render())


async def put_question(pilot: Pilot[None], app: QueueApp) -> None:
    """Have the question of the job under the cursor put."""
    await pilot.press("a")
    await until(pilot, lambda: isinstance(app.screen, QuestionScreen) and app.screen.question)


@pytest.mark.parametrize(
    ("key", "rule", "for_all"),
    [
        ("o", Conflict.OVERWRITE, False),
        ("s", Conflict.SKIP, False),
        ("n", Conflict.NEWER, False),
        ("k", Conflict.RENAME, False),
        ("O", Conflict.OVERWRITE, True),
        ("S", Conflict.SKIP, True),
        ("N", Conflict.NEWER, True),
        ("K", Conflict.RENAME, True),
    ],
)
async def test_a_question_is_answered_by_one_key(client, key, rule, for_all) -> None:
    ask(client, 1)
    app = QueueApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await started(pilot, client)
        await put_question(pilot, app)
        await pilot.press(key)
        await until(pilot, lambda: not isinstance(app.screen, QuestionScreen))
        assert client.answers == [(1, rule, for_all)]


async def test_a_question_shows_both_files_and_how_they_compare(client: FakeClient) -> None:
    ask(client, 1)
    app = QueueApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await started(pilot, client)
        await put_question(pilot, app)
        await until(pilot, lambda: "song1.flac" in said(app, "#what"))
        new, old = said(app, "#source"), said(app, "#target")
        assert "/home/ann" in new
        assert "2.0 KiB (2,048)  larger" in new
        assert "newer" in new
        assert "/mnt/backup" in old
        assert "1.0 KiB" in old
        assert "larger" not in old
        assert "newer" not in old


async def test_questions_follow_each_other_and_escape_leaves_the_rest(client: FakeClient) -> None:
    ask(client, 1, 3)
    app = QueueApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await started(pilot, client)
        await put_question(pilot, app)
        assert "2 more of job 1" in said(app, "#what")
        await pilot.press("s")
        await until(pilot, lambda: app.screen.question.id == 2)
        client.open_questions.pop(2)  # answered elsewhere meanwhile
        await pilot.press("o")
        await until(pilot, lambda: app.screen.question.id == 3)
        assert "answered already" in said(app, "#feedback")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, QuestionScreen))
        assert list(client.open_questions) == [3]


async def test_a_question_answered_while_the_engine_is_frozen_says_so_and_goes_on_when_it_answers(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "SLOW_S", 0.01)
    ask(client, 1, 2)
    app = QueueApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await started(pilot, client)
        await put_question(pilot, app)
        client.freeze()
        await pilot.press("s")
        await until(pilot, lambda: said(app, "#feedback") == notes.DOES_NOT_ANSWER)
        client.thaw()
        await until(pilot, lambda: app.screen.question.id == 2)
        assert said(app, "#feedback") == ""


@pytest.mark.parametrize("taken", [True, False])
async def test_an_answer_the_engine_did_not_confirm_is_given_again_until_it_does(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    monkeypatch.setattr(patient, "RETRY_S", 0.001)
    ask(client, 1, 2)
    app = QueueApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await started(pilot, client)
        await put_question(pilot, app)
        answer = client.answer

        async def unreachable(*_: object, **__: object) -> None:
            raise EngineUnreachable("the engine did not answer within 10 seconds")

        client.answer = unreachable
        await pilot.press("s")
        await until(pilot, lambda: "does not answer; trying again" in said(app, "#feedback"))
        if taken:  # it lay in the socket, and was read before it was given again
            client.open_questions.pop(1)
        client.answer = answer
        await until(pilot, lambda: app.screen.question.id == 2)
        assert said(app, "#feedback") == ""
        assert client.answers == ([] if taken else [(1, Conflict.SKIP, False)])


def unfit(client: FakeClient, id: int = 1) -> None:
    """Let a job wait for an answer about names."""
    client.misfits_by_job[id] = Misfits(
        names=1,
        clashes=1,
        first=(
            Misfit(
                Location.local("/home/ann/a:b"), Unfit.NAME, "that filesystem takes no ':' in names", "a：b"
            ),
            Misfit(Location.local("/home/ann/X"), Unfit.CLASH, "it would be the same there as x", "X (1)"),
        ),
    )
    client.set_job(id, state=JobState.WAITING, names=Names.ASK, misfits=2, note="waits")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_names_that_do_not_fit_are_listed_with_what_they_would_become(
    client: FakeClient, size: tuple[int, int]
) -> None:
    unfit(client)
    app = QueueApp(client)
    async with app.run_test(size=size) as pilot:
        await started(pilot, client)
        assert "names do not fit: press a" in "\n".join(lines(app.pane))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, UnfitNames))
        await until(pilot, lambda: "X (1)" in str(app.screen.query_one("#list", Static).content))
        listed = str(app.screen.query_one("#list", Static).content)
        assert "/home/ann/a:b → a：b" in listed
        assert "it would be the same there as x" in listed
        assert app.screen.query_one("#keep").region.right <= size[0]


@pytest.mark.parametrize(
    ("key", "way"),
    [("l", Names.LOOKALIKE), ("u", Names.UNDERSCORE), ("s", Names.SKIP), ("k", Names.KEEP)],
)
async def test_one_key_says_what_is_done_with_names(client: FakeClient, key: str, way: Names) -> None:
    unfit(client)
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, UnfitNames))
        await pilot.press(key)
        await until(pilot, lambda: not isinstance(app.screen, UnfitNames))
        assert called(client, "set_names") == [((1,), way)]


async def test_names_can_wait(client: FakeClient) -> None:
    unfit(client)
    app = QueueApp(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, UnfitNames))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, UnfitNames))
        assert called(client, "set_names") == []
        assert client.jobs_by_id[1].wants_names


async def test_names_asked_about_while_the_engine_is_frozen_say_so_and_go_on_when_it_answers(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "SLOW_S", 0.01)
    unfit(client)
    app = QueueApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await started(pilot, client)
        client.freeze()
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, UnfitNames))
        await until(pilot, lambda: said(app, "#feedback") == notes.DOES_NOT_ANSWER)
        line = app.screen.query_one("#feedback").region
        assert line in app.screen.query_one(Box).region
        client.thaw()
        await until(pilot, lambda: "X (1)" in said(app, "#list"))
        assert said(app, "#feedback") == ""
        client.freeze()
        await pilot.press("s")
        await until(pilot, lambda: said(app, "#feedback") == notes.DOES_NOT_ANSWER)
        client.thaw()
        await until(pilot, lambda: not isinstance(app.screen, UnfitNames))
        assert called(client, "set_names") == [((1,), Names.SKIP)]


@pytest.mark.parametrize("taken", [True, False])
async def test_what_to_do_with_names_is_told_again_until_the_engine_confirms_it(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    monkeypatch.setattr(patient, "RETRY_S", 0.001)
    unfit(client)
    app = QueueApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, UnfitNames))
        await until(pilot, lambda: "X (1)" in said(app, "#list"))
        set_names = client.set_names

        async def unreachable(*_: object) -> None:
            raise EngineUnreachable("the engine did not answer within 10 seconds")

        async def taken_already(*_: object) -> None:
            raise NotPossible("job 1 waits for no names")

        client.set_names = unreachable
        await pilot.press("s")
        await until(pilot, lambda: "does not answer; trying again" in said(app, "#feedback"))
        client.set_names = taken_already if taken else set_names
        await until(pilot, lambda: not isinstance(app.screen, UnfitNames))
        assert called(client, "set_names") == ([] if taken else [((1,), Names.SKIP)])
        assert not list(app._notifications)


async def test_details_asked_for_while_the_engine_is_frozen_say_so(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "SLOW_S", 0.01)
    app = QueueApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await started(pilot, client)
        client.freeze()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobDetails))
        await until(pilot, lambda: said(app, "#feedback") == notes.DOES_NOT_ANSWER)
        client.thaw()
        await until(pilot, lambda: said(app, "#feedback") == "")


async def test_nothing_is_asked_where_no_job_has_a_question(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("a")
        await until(pilot, lambda: len(app._notifications))
        assert not isinstance(app.screen, QuestionScreen)


async def details(app: QueueApp, pilot: Pilot[None], client: FakeClient) -> Callable[[], str]:
    """Open the details of the first job; return what tells the text that is shown then."""
    await started(pilot, client)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, JobDetails))

    def shown() -> str:
        return "\n".join(line.text for line in app.screen.query_one("#table").render_lines(app.size.region))

    return shown


async def test_details_tell_what_was_asked_and_follow_the_job(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(100, 40)) as pilot:
        shown = await details(app, pilot, client)
        await until(pilot, lambda: "/home/ann/photos" in shown() and "/mnt/backup" in shown())
        client.set_job(1, progress=Progress(4, 4, 40, 40, files_same=3))
        await until(pilot, lambda: "3 files already there" in shown())
        assert "Verified" not in shown()
        client.set_job(1, verify=True, progress=Progress(4, 4, 40, 40, files_verified=2, bytes_verified=2048))
        await until(pilot, lambda: "2 files, 2.0 KiB read back" in shown())
        client.set_job(1, progress=Progress(4, 4, 4096, 4096, bytes_flushed=1024, flushing=True))
        await until(pilot, lambda: "1.0 KiB for sure" in shown())
        await pilot.press("q")
        await until(pilot, lambda: not isinstance(app.screen, JobDetails))


async def test_details_tell_what_the_target_could_not_hold(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(100, 40)) as pilot:
        shown = await details(app, pilot, client)
        await until(pilot, lambda: "/mnt/backup" in shown())
        assert "Not kept" not in shown()
        client.losses_by_job[1] = (Lost(Loss.OWNER, 3, (Location("/mnt/a\x1b"), Location("/mnt/b"))),)
        client.set_job(1, progress=Progress(4, 4, 40, 40, losses=3))
        await until(pilot, lambda: "owner or group of 3 entries" in shown())
        assert "/mnt/a␛" in shown()
        assert "and 1 more" in shown()


async def test_errors_are_read_in_pages_and_shown_in_full(client: FakeClient) -> None:
    count = PAGE * 3
    for number in range(count):
        place = Location.local(f"/home/ann/f{number}")
        client.errors_by_job[4].append(
            JobError(
                number, 4, place, "PermissionDenied", f"cannot read {place}: permission denied", "Do so.", 0.0
            )
        )
    client.set_job(4, progress=Progress(errors=count))
    app = QueueApp(client)
    async with app.run_test(size=(100, 30)) as pilot:
        await started(pilot, client)
        await pilot.press("g", "g", "e")
        await until(pilot, lambda: isinstance(app.screen, JobErrors))
        listing = app.screen.query_one(ErrorList)
        await until(pilot, lambda: listing.current)
        assert "permission denied" in listing.render_line(0).text
        await pilot.press("G")
        await until(pilot, lambda: listing.current and listing.current.id == count - 1)
        await until(
            pilot,
            lambda: f"/home/ann/f{count - 1}" in said(app, "#error") and "Do so." in said(app, "#error"),
        )
        assert set(listing._pages) == {0, 2}
        await pilot.press("r")
        await until(pilot, lambda: called(client, "retry"))
        assert called(client, "retry") == [((4,),)]
        await until(pilot, lambda: not isinstance(app.screen, JobErrors))


async def test_a_job_that_waits_for_room_says_how_much_and_is_resumed_or_started_by_key(
    client: FakeClient,
) -> None:
    app = QueueApp(client)
    note = "needs 12 GiB, 3 GiB free on /mnt: free space and resume"
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        for key, then in (("p", JobState.QUEUED), ("s", JobState.RUNNING)):
            client.set_job(1, state=JobState.WAITING, note=note)
            await until(pilot, lambda: pane.current.state is JobState.WAITING)
            said = "make room, press p · needs 12 GiB, 3 GiB free on /mnt"
            await until(pilot, lambda said=said: said in "".join(lines(pane)))
            await pilot.press("a")
            assert "then p resumes it" in [*app._notifications][-1].message
            await pilot.press(key)
            await until(pilot, lambda then=then: client.jobs_by_id[1].state is then)


async def test_the_graph_rests_when_nothing_runs(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20)) as pilot:
        pane = await started(pilot, client)
        assert not pane._sampler._active.is_set()
        client.engine = replace(client.engine, rate_bytes_s=5.0)
        client.announce()
        await until(pilot, lambda: pane._sampler._active.is_set())
        client.set_job(1, state=JobState.PAUSED)
        await until(pilot, lambda: pane.state.rate_bytes_s == 0)
        for _ in range(60):
            pane._sample()
        assert pane.graph.is_flat
        assert not pane._sampler._active.is_set()


async def test_a_priority_that_cannot_be_raised_says_why() -> None:
    client = FakeClient({})
    client.add_job(request(), priority=5)
    client.add_job(request("done"), state=JobState.DONE)
    app = QueueApp(client)
    async with app.run_test() as pilot:
        await started(pilot, client)
        await pilot.press("+")
        await until(pilot, lambda: "highest priority already" in str(list(app._notifications)))
        await pilot.press("j", "+")
        await until(pilot, lambda: "Ended jobs have no priority" in str(list(app._notifications)))
        assert not called(client, "set_priority")


async def test_an_ended_job_leaves_its_name_the_room_that_its_outcome_does_not_take() -> None:
    client = FakeClient({})
    sources = tuple(Location.local("/home/ann").child(f"video{n}.mkv") for n in range(2))
    client.add_job(replace(request(), sources=sources), state=JobState.DONE)
    async with QueueApp(client).run_test(size=(80, 24)) as pilot:
        line = lines(await started(pilot, client))[1]
        assert "video0.mkv + 1 more → /mnt/backup/" in line
        assert line.endswith(" 0 files")
        assert len(line) == 80


async def test_the_cursor_goes_to_a_job_just_added_unless_one_is_at_the_queue() -> None:
    client = FakeClient({})
    client.add_job(request("old"), state=JobState.DONE)
    app = QueueApp(client)
    async with app.run_test() as pilot:
        pane = await started(pilot, client)
        pane.blur()
        await until(pilot, lambda: not pane.has_focus)
        await client.submit(request("new"))
        await until(pilot, lambda: pane.current and pane.current.first_source.name == "new")
        pane.focus()
        await until(pilot, lambda: pane.has_focus)
        await client.submit(request("newer"))
        await until(pilot, lambda: len(pane.jobs) == 3)
        assert pane.current and pane.current.first_source.name == "new"


async def test_what_runs_stays_in_sight_when_a_job_ends_unless_one_is_at_the_queue() -> None:
    client = FakeClient({})
    first, second = (client.add_job(request(name), state=JobState.RUNNING) for name in ("one", "two"))
    app = QueueApp(client)
    async with app.run_test(size=(90, 12)) as pilot:
        pane = await started(pilot, client)
        pane.blur()
        await until(pilot, lambda: not pane.has_focus and pane.current and pane.current.id == first.id)
        client.set_job(first.id, state=JobState.DONE)
        await until(pilot, lambda: pane.jobs[-1].id == first.id)
        assert pane.current.id == second.id
        pane.focus()
        await until(pilot, lambda: pane.has_focus)
        client.set_job(second.id, state=JobState.DONE)
        await until(pilot, lambda: all(job.state.is_final for job in pane.jobs))
        assert pane.current.id == second.id


async def test_a_job_that_fails_is_in_sight_above_those_that_run() -> None:
    client = FakeClient({})
    ids = [client.add_job(request(f"job{n}"), state=JobState.RUNNING).id for n in range(9)]
    app = QueueApp(client)
    async with app.run_test(size=(90, 6)) as pilot:
        pane = await started(pilot, client)
        pane.blur()
        await until(pilot, lambda: not pane.has_focus)
        client.set_job(ids[0], state=JobState.FAILED, ended_at=1.0)
        await until(pilot, lambda: pane.current.state is JobState.FAILED)
        assert "job0 " in lines(pane)[1]


async def test_old_failures_do_not_hide_what_runs() -> None:
    client = FakeClient({})
    for number in range(20):
        client.add_job(request(f"bad{number}"), state=JobState.FAILED, ended_at=float(number))
    client.add_job(request("now"), state=JobState.RUNNING)
    async with QueueApp(client).run_test(size=(90, 6)) as pilot:
        pane = await started(pilot, client)
        assert pane.current.first_source.name == "now"
        assert any("now " in line for line in lines(pane))


async def test_no_row_moves_on_a_page_below_the_first_when_jobs_above_change_places() -> None:
    client = FakeClient({})
    ids = [client.add_job(request(f"job{n}")).id for n in range(30)]
    async with QueueApp(client).run_test(size=(90, 10)) as pilot:
        pane = await started(pilot, client)
        for _ in range(20):
            await pilot.press("j")
        before = lines(pane)[1:]
        client.set_job(ids[-1], state=JobState.FAILED, ended_at=1.0)
        await until(pilot, lambda: pane.jobs[0].id == ids[-1])
        assert (lines(pane)[1:], pane.current.id) == (before, ids[20])


async def test_numbers_wait_for_their_time_and_news_do_not() -> None:
    client = FakeClient({})
    job = client.add_job(request(), state=JobState.RUNNING, progress=Progress(files_total=10, files_done=1))
    async with QueueApp(client).run_test() as pilot:
        pane = await started(pilot, client)
        pane._paint_s = 30.0
        client.set_job(job.id, progress=Progress(files_total=10, files_done=7))
        await until(pilot, lambda: pane._paint_timer is not None)
        assert "1/10 files" in lines(pane)[2]
        client.set_job(job.id, state=JobState.PAUSED)
        await until(pilot, lambda: "paused" in lines(pane)[1])
        assert "7/10 files" in lines(pane)[2]


async def test_v_verifies_a_copy_that_has_ended_again(client: FakeClient) -> None:
    client.set_job(5, kind=JobKind.MOVE)
    app = QueueApp(client)
    async with app.run_test(size=(120, 20), notifications=True) as pilot:
        pane = await started(pilot, client)
        await pilot.press("G", "v")
        await until(pilot, lambda: any("Only copies" in note.message for note in app._notifications))
        assert called(client, "verify") == []
        client.set_job(5, kind=JobKind.COPY)
        await pilot.pause()
        await pilot.press("v")
        await until(pilot, lambda: called(client, "verify") == [((5,),)])
        await until(pilot, lambda: any("verify " in line for line in lines(pane)))


async def test_what_was_removed_last_is_brought_back_by_the_key_that_is_told(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 20), notifications=True) as pilot:
        pane = await started(pilot, client)
        ended = [job.id for job in pane.jobs if job.state.is_final]
        await pilot.press("C")
        told = "U brings back what was removed last."
        await until(pilot, lambda: any(told in note.message for note in app._notifications))
        await until(pilot, lambda: not any(job.state.is_final for job in pane.jobs))
        await pilot.press("U")
        await until(pilot, lambda: [job.id for job in pane.jobs if job.state.is_final] == ended)
        await until(
            pilot, lambda: any("Brought back to the list" in note.message for note in app._notifications)
        )
        await pilot.press("U")
        await until(
            pilot, lambda: any("cannot bring jobs back" in note.message for note in app._notifications)
        )


async def test_u_undoes_the_job_under_the_cursor_and_only_one_at_a_time(client: FakeClient) -> None:
    client.set_job(5, kind=JobKind.MOVE, reversible=True)
    app = QueueApp(client)
    async with app.run_test(size=(120, 20), notifications=True) as pilot:
        pane = await started(pilot, client)
        await pilot.press("G", "u")
        await until(pilot, lambda: called(client, "undo") == [((5,),)])
        await until(pilot, lambda: any("undo " in line and "older" in line for line in lines(pane)))
        await until(pilot, lambda: any("move " in line and "undone" in line for line in lines(pane)))
        await pilot.press("g", "g", "space", "space", "u")
        await until(pilot, lambda: any("One job at a time" in note.message for note in app._notifications))
        assert called(client, "undo") == [((5,),)]


async def test_the_queue_is_filtered_while_one_types(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 12)) as pilot:
        pane = await started(pilot, client)
        await pilot.press("/", *"ol")
        await until(pilot, lambda: [job.first_source.name for job in pane.jobs] == ["old", "older"])
        assert "ol: 2 of 5" in lines(pane)[0]
        await pilot.press("d", "e", "down", "enter")
        assert pane.has_focus
        assert [job.first_source.name for job in pane.jobs] == ["older"]
        client.add_job(request("new"))
        client.add_job(request("golden"))
        await until(pilot, lambda: len(pane.state.jobs) == 7)
        await until(pilot, lambda: [job.first_source.name for job in pane.jobs] == ["golden", "older"])
        await pilot.press("escape")
        await until(pilot, lambda: len(pane.jobs) == 7)
        assert app.told == []
        await pilot.press("escape")
        assert app.told == ["files"]


@pytest.mark.parametrize(
    ("typed", "names"), [("failed", ["old"]), ("backup", None), ("*s", ["photos", "docs"])]
)
async def test_a_filter_fits_state_and_place_too(
    client: FakeClient, typed: str, names: list[str] | None
) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 12)) as pilot:
        pane = await started(pilot, client)
        await pilot.press("f", *typed, "enter")
        shown = [job.first_source.name for job in pane.jobs]
        assert shown == names if names else len(shown) == 5


async def test_what_a_filter_hides_is_not_acted_on(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(120, 12)) as pilot:
        await started(pilot, client)
        await pilot.press("space", "space", "f", *"photos", "enter", "P")
        await until(pilot, lambda: called(client, "pause"))
        assert called(client, "pause") == [((1,),)]
        await pilot.press("f", *"older", "enter", "C")
        await until(pilot, lambda: called(client, "remove"))
        assert called(client, "remove") == [((5,),)]


async def test_a_filter_that_fits_nothing_says_so(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(80, 12)) as pilot:
        pane = await started(pilot, client)
        await pilot.press("f", *"nowhere")
        await until(pilot, lambda: lines(pane)[1].strip() == "Nothing fits the filter.")
        await pilot.press("enter", "x", "p", "e", "down", "end")
        assert not any(called(client, method) for method in ("cancel", "pause"))
        await pilot.press("f", "escape")
        await until(pilot, lambda: len(pane.jobs) == 5)


async def test_the_last_job_is_not_under_the_line_one_types_into(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.styles.height = 5
        pane = await started(pilot, client)
        await pilot.press("end", "/")
        await until(pilot, lambda: pane.line.is_open)
        await pilot.pause()
        assert any("older" in line for line in lines(pane)[: pane.line.region.y - pane.region.y])


async def test_the_wheel_turns_the_page_and_the_next_numbers_do_not_turn_it_back() -> None:
    client = FakeClient()
    for number in range(30):
        client.add_job(request(f"job{number}"))
    client.set_job(1, state=JobState.RUNNING, progress=Progress(1, 9, 1, 9))
    app = QueueApp(client)
    async with app.run_test(size=(100, 9)) as pilot:
        pane = await started(pilot, client)
        pane.scroll_by(9)
        seen = lines(pane)[1]
        assert "job0" not in seen
        client.set_job(1, progress=Progress(2, 9, 2, 9))
        await until(pilot, lambda: pane.state.get(1).progress.files_done == 2)
        await pilot.pause(0.05)
        assert lines(pane)[1] == seen
        assert pane.current is not None
        assert any(f" {pane.current.first_source.name} →" in line for line in lines(pane))


async def test_the_queue_is_sorted_and_the_order_told(client: FakeClient) -> None:
    for id, size_bytes in ((1, 40), (2, 900), (3, 5), (4, 70), (5, 6)):
        client.set_job(id, progress=Progress(bytes_total=size_bytes))
    app = QueueApp(client)
    async with app.run_test(size=(100, 12)) as pilot:
        pane = await started(pilot, client)

        def names() -> list[str]:
            return [job.first_source.name for job in pane.jobs]

        as_they_run = names()
        await pilot.press("comma", "s")
        assert names() == ["music", "old", "photos", "older", "docs"]
        assert " size↓" in lines(pane)[0]
        await pilot.press("comma", "s")
        assert names() == ["docs", "older", "photos", "old", "music"]
        assert " size↑" in lines(pane)[0]
        await pilot.press("comma", "n")
        assert names() == ["docs", "music", "old", "older", "photos"]
        await pilot.press("comma", "m")
        assert names() == ["older", "old", "docs", "music", "photos"]
        await pilot.press("comma", "o")
        assert names() == as_they_run
        assert "time" not in lines(pane)[0]


async def test_jobs_are_moved_only_in_the_order_in_which_they_run(client: FakeClient) -> None:
    app = QueueApp(client)
    async with app.run_test(size=(100, 12)) as pilot:
        pane = await started(pilot, client)
        await pilot.press("comma", "n", "g", "g", "down", "J")
        assert called(client, "reorder") == []
        assert any("sorted by name; , o shows" in note.message for note in app._notifications)
        await pilot.press("comma", "o", "J")
        await until(pilot, lambda: called(client, "reorder"))
        assert pane.current is not None
