"""Finds the files that come with the package."""

from __future__ import annotations

from pathlib import Path


def styles_dir() -> Path:
    """Return the folder of stylesheets: beside the package's modules when installed, else the checkout's.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "styles", package.parent / "styles"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"Ferry's styles are missing from {package}; install it again")
