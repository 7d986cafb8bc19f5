"""The folder in which a tree that is new at the target is built, until it gets its final name in one step."""

from __future__ import annotations

import errno
import os
import stat
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from tui.model.error import AlreadyExists, from_os_error
from tui.places.local import syscalls
from tui.places.local.partial import STAGE, prefix

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.local.root import Root


class Stage(NamedTuple):
    """A staging folder: its name, and whether it was just made."""

    name: bytes
    is_new: bool


def stage_name(tag: str, name: bytes) -> bytes:
    """Return the name under which a job builds `name`, beside it."""
    return prefix(tag) + blake2b(name, digest_size=8).hexdigest().encode() + STAGE


def stage_of(final: Location, tag: str) -> Location:
    """Return where a job builds the tree that will be `final`."""
    return final.parent.child(os.fsdecode(stage_name(tag, os.fsencode(final.name))))


def prepare_stage(target_parent: Root, name: bytes, tag: str) -> Stage:
    """Create the staging folder for `name`, or find it from before.

    Raises:
        AlreadyExists: Something that is not this user's folder stands there.
        PlaceError: It cannot be made.
    """
    stage = stage_name(tag, name)
    where = target_parent.location(stage)
    try:
        os.mkdir(stage, 0o700, dir_fd=target_parent.fd)
    except FileExistsError:
        info = os.lstat(stage, dir_fd=target_parent.fd)
        shared = os.fstat(target_parent.fd).st_mode & 0o022
        # In a folder others may write to, a folder of theirs could be made to change under our hands.
        if not stat.S_ISDIR(info.st_mode) or (shared and info.st_uid != os.geteuid()):
            raise AlreadyExists(
                f"cannot build in {where}: it is not a folder of yours", location=where
            ) from None
        return Stage(stage, is_new=False)
    except OSError as error:
        raise from_os_error(error, target_parent.location(name), "create the folder") from error
    return Stage(stage, is_new=True)


def publish(target_parent: Root, stage: bytes, name: bytes) -> None:
    """Give a finished tree its final name, in one step and never over anything.

    Raises:
        AlreadyExists: The name was taken meanwhile.
        PlaceError: It cannot be renamed.
    """
    try:
        syscalls.rename_no_replace(target_parent.fd, stage, target_parent.fd, name)
    except OSError as error:
        raise from_os_error(error, target_parent.location(name), "create") from error


def move_into_place(
    source_parent: Root, name: bytes, target_parent: Root, target_name: bytes, *, replace: bool = False
) -> bool:
    """Move an entry by renaming it; say False where the two folders are on different filesystems.

    Args:
        replace: Go over what stands there, if neither of the two is a folder.
    Raises:
        AlreadyExists: The name is taken, and is not to be replaced.
        IsAFolder: A folder is in the way.
        PlaceError: It cannot be renamed.
    """
    where = target_parent.location(target_name)
    try:
        if replace and stat.S_ISDIR(os.lstat(name, dir_fd=source_parent.fd).st_mode):
            # rename(2) would put a folder over an empty one; that is a merge, and not ours to decide.
            replace = False
        if replace:
            os.rename(name, target_name, src_dir_fd=source_parent.fd, dst_dir_fd=target_parent.fd)
        else:
            syscalls.rename_no_replace(source_parent.fd, name, target_parent.fd, target_name)
    except OSError as error:
        if error.errno == errno.EXDEV:
            return False
        if error.errno in (errno.ENOENT, errno.EBUSY):
            raise from_os_error(error, source_parent.location(name), "move") from error
        raise from_os_error(error, where, f"move {source_parent.location(name)} to") from error
    return True
