"""Every action a key can ask for: ids, default keys, names. Help, key bar, palette and documentation read this table.

A key is written as Textual names it ("f5", "ctrl+a", "shift+up", "space"), a printable one as itself ("C", "*").
A sequence is keys with spaces between ("g g"). `<any>` stands for any printable key, `<digit>` for one from 1 to 9:
which one is passed to the action.
An action's method is `action_` and the id after the dot, with that key as its argument where there is one, on the
focused widget, else on its screen, else on the app.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a key can ask for.

    Attributes:
        id: "scope.name"; the scope is pane, queue, viewer or app (app: everywhere).
        keys: Default keys, most telling first.
        title: What it is called in help, menu and palette; imperative.
        group: The heading it stands under in help and menu.
        label: A word for the key bar, if it stands there.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    group: str
    label: str = ""

    @property
    def scope(self) -> str:
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        return self.id.partition(".")[2]


def _actions(
    scope: str, group: str, *rows: tuple[str, str, str] | tuple[str, str, str, str]
) -> tuple[Action, ...]:
    """Build rows of (name, keys separated by " | ", title[, label])."""
    return tuple(
        Action(f"{scope}.{row[0]}", tuple(row[1].split(" | ")) if row[1] else (), row[2], group, *row[3:])
        for row in rows
    )


APP = _actions(
    "app",
    "Ferry",
    ("help", "f1 | ?", "Show all keys", "Help"),
    ("menu", "f9 | :", "Open the menu of commands", "Menu"),
    ("palette", "ctrl+p", "Find a command by name"),
    ("quit", "f10 | q | ctrl+q", "Leave the screen; jobs go on", "Quit"),
    ("quit_engine", "Q", "Leave, and stop the engine; jobs are kept"),
    ("redraw", "ctrl+l", "Draw the screen anew"),
    ("shell", "! | ctrl+o", "Open a shell in this folder"),
    ("suspend", "ctrl+z", "Go back to the shell until fg"),
    ("theme", "", "Choose a theme"),
    ("answer_host", "ctrl+g", "Answer what a host asks"),
)

PANE = (
    *_actions(
        "pane",
        "Transfer",
        ("copy", "f5 | C", "Copy to the other pane, through the queue", "Copy"),
        ("move", "f6 | M", "Move to the other pane, through the queue", "Move"),
        ("yank", "y", "Remember for pasting as a copy"),
        ("cut", "x", "Remember for pasting as a move"),
        ("paste", "p", "Paste here, through the queue"),
        ("paste_with_options", "P", "Paste here, with options"),
        ("clear_yank", "Y", "Forget what was yanked or cut"),
        ("sync", "ctrl+x y", "Make the other pane like this, from a plan"),
    ),
    *_actions(
        "pane",
        "Files",
        ("view", "f3 | i", "View the file", "View"),
        ("edit", "f4 | e", "Edit in $EDITOR", "Edit"),
        ("command", ";", "Run a command, on what is chosen"),
        ("rename", "f2 | r", "Rename; several marked: as a list in $EDITOR", "Rename"),
        ("make_folder", "f7 | A", "Make a folder", "Folder"),
        ("create_file", "a", "Make an empty file"),
        ("trash", "f8 | d", "Move to the trash", "Trash"),
        ("delete", "delete | D", "Delete for good"),
        ("undo", "u", "Undo a move, rename, trash or new folder"),
        ("chmod", "ctrl+x c", "Change permissions"),
        ("symlink", "ctrl+x s", "Make a symbolic link in the other pane"),
        ("hardlink", "ctrl+x l", "Make a hard link in the other pane"),
        ("information", "I | ctrl+x i", "Show information"),
        ("folder_size", "Z | ctrl+space", "Count the size of folders"),
    ),
    *_actions(
        "pane",
        "Move about",
        ("other_pane", "tab", "Go to the other pane"),
        ("queue", "w | ctrl+x j", "Go to the queue"),
        ("cursor_down", "down | j", "Down"),
        ("cursor_up", "up | k", "Up"),
        ("first", "home | g g", "To the top"),
        ("last", "end | G", "To the bottom"),
        ("page_down", "pagedown | ctrl+f", "Page down"),
        ("page_up", "pageup | ctrl+b", "Page up"),
        ("half_page_down", "ctrl+d", "Half a page down"),
        ("half_page_up", "ctrl+u", "Half a page up"),
        ("enter", "enter | right | l", "Enter the folder, or view the file"),
        ("parent", "backspace | left | h", "To the parent folder"),
        ("back", "H | alt+left", "Back in the history"),
        ("forward", "L | alt+right", "Forward in the history"),
        ("go_to", "g space", "Go to a path"),
        ("go_home", "g h", "Go home"),
        ("go_root", "g /", "Go to the root"),
        ("go_trash", "g t", "Go to the trash"),
        ("go_link_target", "g f", "Go to where the link points"),
        ("connect", "\\ | g r", "Connect to a host"),
        ("frequent", "z", "Jump to a folder used before"),
        ("bookmark", "m <any>", "Bookmark this folder under a letter"),
        ("jump", "' <any>", "Jump to a bookmark by its letter"),
        ("bookmarks", "ctrl+backslash", "List the bookmarks"),
        ("one_pane", "W", "Show one pane, or both"),
        ("equalise", "=", "Show this folder in the other pane too"),
        ("swap", "|", "Swap the panes"),
    ),
    *_actions(
        "pane",
        "Tabs",
        ("tab_new", "t t", "Open a tab on this folder"),
        ("tab_close", "t c", "Close the tab"),
        ("tab_previous", "[", "Previous tab"),
        ("tab_next", "]", "Next tab"),
        ("tab_by_number", "<digit>", "Go to a tab by its number"),
    ),
    *_actions(
        "pane",
        "Mark",
        ("mark", "space | insert | ctrl+t", "Mark, and step down"),
        ("mark_down", "shift+down", "Mark while stepping down"),
        ("mark_up", "shift+up", "Mark while stepping up"),
        ("range_mark", "v", "Start or end marking a range"),
        ("range_unmark", "V", "Start or end unmarking a range"),
        ("mark_all", "% | ctrl+a", "Mark all"),
        ("invert_marks", "*", "Invert the marks"),
        ("mark_pattern", "+", "Mark by pattern"),
        ("unmark_pattern", "-", "Unmark by pattern"),
        ("compare", "ctrl+x d", "Compare both panes, and mark what differs"),
        ("clear", "escape | ctrl+c", "Leave what was begun; clear messages, marks"),
    ),
    *_actions(
        "pane",
        "Look",
        ("find", "/", "Find by typing"),
        ("find_next", "n", "Next found"),
        ("find_previous", "N", "Previous found"),
        ("search_names", "s", "Search names below this folder"),
        ("search_contents", "S", "Search text in the files below"),
        ("filter", "f", "Filter the list while typing"),
        ("toggle_hidden", ".", "Show or hide hidden files"),
        ("refresh", "ctrl+r", "Read the folder again"),
        ("sort_by_name", ", n", "Sort by name"),
        ("sort_by_size", ", s", "Sort by size"),
        ("sort_by_time", ", m", "Sort by time"),
        ("sort_by_extension", ", e", "Sort by extension"),
        ("preview", "ctrl+x q", "Show or hide the preview"),
        ("preview_down", "J", "Scroll the preview down"),
        ("preview_up", "K", "Scroll the preview up"),
    ),
    *_actions(
        "pane",
        "Copy text",
        ("copy_path", "c c", "Copy the path as text"),
        ("copy_folder", "c d", "Copy the folder's path as text"),
        ("copy_name", "c f", "Copy the name as text"),
        ("copy_stem", "c n", "Copy the name without its ending as text"),
        ("copy_url", "c u", "Copy the URL as text"),
    ),
)

QUEUE = (
    *_actions(
        "queue",
        "Jobs",
        ("details", "enter | l", "Show details", "Details"),
        ("toggle_pause", "p", "Pause or resume", "Pause"),
        ("toggle_pause_all", "P", "Pause or resume all", "Pause all"),
        ("cancel", "x", "Cancel", "Cancel"),
        ("answer", "a", "Answer the job's question", "Answer"),
        ("errors", "e", "List the errors", "Errors"),
        ("log", "f3 | i", "Show what the engine noted of it"),
        ("remove", "d | f8 | delete", "Remove from the list", "Remove"),
        ("retry", "r", "Retry what failed", "Retry"),
        ("undo", "u", "Undo what the job did; an undo: do it again", "Undo"),
        ("verify", "v", "Verify a finished copy again", "Verify"),
        ("retry_all", "R", "Retry all failed jobs"),
        ("clear_ended", "C", "Clear finished jobs", "Clear"),
        ("restore", "U", "Bring back what was last taken off the list"),
        ("start_now", "s", "Start now, whatever runs"),
        ("conflict_rule", "o", "Change the conflict rule"),
        ("limit", "b", "Limit the rate of this job"),
        ("limit_all", "B", "Limit the rate of everything"),
        ("slots", "N", "Set how many files are copied at once"),
    ),
    *_actions(
        "queue",
        "Order",
        ("move_down", "J", "Move the job down"),
        ("move_up", "K", "Move the job up"),
        ("move_bottom", "g j", "Move the job to the bottom"),
        ("move_top", "g k", "Move the job to the top"),
        ("priority_up", "+", "Raise the priority"),
        ("priority_down", "-", "Lower the priority"),
    ),
    *_actions(
        "queue",
        "Move about",
        ("clear", "escape | ctrl+c", "Leave the filter, or go back to the files"),
        ("back_to_files", "w | h | tab | ctrl+x j", "Back to the files"),
        ("cursor_down", "down | j", "Down"),
        ("cursor_up", "up | k", "Up"),
        ("first", "home | g g", "To the top"),
        ("last", "end | G", "To the bottom"),
        ("page_down", "pagedown | ctrl+f", "Page down"),
        ("page_up", "pageup | ctrl+b", "Page up"),
        ("mark", "space | insert", "Mark, and step down"),
        ("go_to_target", "g d", "Show the target in a pane"),
        ("go_to_source", "g s", "Show the source in a pane"),
        ("copy_path", "y", "Copy the target's path as text"),
    ),
    *_actions(
        "queue",
        "Look",
        ("filter", "/ | f", "Filter the jobs while typing"),
        ("sort_by_order", ", o", "Sort as they run"),
        ("sort_by_name", ", n", "Sort by name"),
        ("sort_by_size", ", s", "Sort by size"),
        ("sort_by_time", ", m", "Sort by when they were added"),
    ),
)

VIEWER = _actions(
    "viewer",
    "Viewer",
    ("close", "escape | q | f3 | f10 | h | left | ctrl+c", "Back to the files", "Close"),
    ("cursor_down", "down | j | enter", "Line down"),
    ("cursor_up", "up | k", "Line up"),
    ("page_down", "pagedown | space | ctrl+f", "Page down"),
    ("page_up", "pageup | b | ctrl+b", "Page up"),
    ("half_page_down", "ctrl+d", "Half a page down"),
    ("half_page_up", "ctrl+u", "Half a page up"),
    ("first", "home | g g", "To the start"),
    ("last", "end | G", "To the end"),
    ("toggle_hex", "f4 | x", "Text or hexadecimal", "Hex"),
    ("toggle_wrap", "f2 | w", "Wrap long lines or cut them", "Wrap"),
    ("search", "/ | f7", "Search", "Search"),
    ("search_next", "n", "Next match"),
    ("search_previous", "N", "Previous match"),
    ("go_to", "g space | :", "Go to a line, a percentage or an offset"),
    ("edit", "e", "Edit in $EDITOR"),
    ("scroll_left", "H", "Scroll left"),
    ("scroll_right", "L", "Scroll right"),
)

ACTIONS: tuple[Action, ...] = (*APP, *PANE, *QUEUE, *VIEWER)
BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}
