"""Cells of tables that people open in a spreadsheet: no text of somebody's may be taken for a formula there (OWASP, "CSV Injection")."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How texts begin that spreadsheets calculate; in East Asian ones the full-width signs too."""


def cell(text: str) -> str:
    """Return a text as a cell: one that begins like a formula, or like a cell that did, has an apostrophe before it."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def text(cell: str) -> str:
    """Return what a cell says: without the apostrophe that `cell` put there."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
