"""Where tables are printed: as wide as the terminal, and 100 columns in a file."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

FILE_WIDTH, LARGEST = 100, 120


def screen() -> "Console":
    """Return a console of a width at which tables read well."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        return Console(width=FILE_WIDTH)
    return Console(width=min(console.width, LARGEST))
