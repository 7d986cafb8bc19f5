"""The durable queue: one module for each table, or for two that belong together. SQL stands in this folder alone."""

from __future__ import annotations

from tui.engine.journal.errors import Errors
from tui.engine.journal.folder_times import FolderTimes
from tui.engine.journal.jobs import Jobs
from tui.engine.journal.links import Links
from tui.engine.journal.questions import Questions
from tui.engine.journal.settings import Settings
from tui.engine.journal.traces import Traces
from tui.engine.journal.uploads import Uploads


class Journal(Settings, Jobs, Errors, Questions, Traces, Links, FolderTimes, Uploads):
    """All that survives a crash, in one file: its callers know this class and the rows it hands out."""
