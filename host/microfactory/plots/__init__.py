"""Pictures of a job as it is planned: `microfactory show plot` (docs/seeing-a-job.md)."""

from __future__ import annotations

from pathlib import Path

from microfactory.errors import UsageError
from microfactory.places import write_whole
from microfactory.plots.seen import Seen, look
from microfactory.plots.stretch import Stretch, stretch

__all__ = ["FORMS", "Seen", "Stretch", "check_form", "look", "stretch", "write"]
FORMS = (".html", ".png", ".svg")


def check_form(path: Path) -> None:
    """UsageError: no picture has that ending."""
    if path.suffix.lower() not in FORMS:
        raise UsageError(
            f"{path}: no picture ends like this; nothing was drawn; name a file that ends in "
            + ", ".join(FORMS)
        )


def write(seen: Seen, path: Path) -> None:
    """The page or the picture, whole or not at all. UsageError: it cannot be written."""
    if path.suffix.lower() == ".html":
        from microfactory.plots.page import page

        write_whole(path, page(seen).encode())
        return
    from microfactory.plots.picture import picture

    write_whole(path, picture(seen, path.suffix.lower()[1:]))
