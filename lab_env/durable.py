"""Folders that survive a power cut: whole, or not there.

A rename is not enough: after a power cut a file may have its name and not its content,
and a folder its files and not its name. So content first, then names, then the name of
the whole.
"""

import os
import shutil
from pathlib import Path


def settle(fresh: Path, final: Path) -> None:
    """Give a complete folder its name; one that is already there stays.

    When this returns, the folder and all below it is on disk.
    """
    for folder, _, files in os.walk(fresh, topdown=False):
        for name in files:
            sync(Path(folder, name))
        sync(Path(folder))
    try:
        fresh.rename(final)
    except OSError:
        if not (final.is_dir() and any(final.iterdir())):
            raise
        shutil.rmtree(fresh)
    sync(final.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that their names are on disk."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in reversed(missing):
        sync(each.parent)


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
