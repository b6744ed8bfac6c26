"""One HTML file without scripts or links: readable on screen and on paper, and on a machine without a network."""

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

STYLE = """
:root { --line: #c9ced2; --good: #0a7d5a; --care: #9a6700; --bad: #b3260b; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f23;
  background: #fff; }
h1 { margin-bottom: .2rem; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .2rem 0; }
th, td { border: 1px solid var(--line); padding: .2rem .55rem; text-align: right; vertical-align: top; }
th:first-child, td:first-child, table.words th, table.words td { text-align: left; }
.answer { border-left: .5rem solid var(--line); padding: .3rem 1rem; margin: 1rem 0; }
.answer.good { border-color: var(--good); } .answer.care, .answer.unknown { border-color: var(--care); }
.answer.bad, .loud { border-color: var(--bad); } .answer strong { font-size: 1.3rem; }
.loud { border: 3px solid var(--bad); padding: .6rem 1rem; font-weight: 600; }
td.good { color: var(--good); } td.care, td.unknown { color: var(--care); } td.bad { color: var(--bad); }
td.good, td.care, td.bad, td.unknown { font-weight: 600; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; break-inside: avoid; max-width: 100%; }
figure img { max-width: 100%; height: auto; } figcaption { font-size: .85rem; }
@media print { body { max-width: none; margin: 0; font-size: 11pt; } h2 { break-after: avoid; }
  table { font-size: 9pt; } tr { break-inside: avoid; } }
"""


def escape(text: str) -> str:
    """Make text safe within HTML."""
    return html.escape(text)


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], *, words: bool = False
) -> str:
    """Return a table; every cell is escaped."""
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    kind = " class='words'" if words else ""
    return f"<table{kind}><caption>{escape(caption)}</caption><tr>{head}</tr>{body}</table>"


def figure(picture: str, caption: str) -> str:
    """Return a picture with its caption."""
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def figures(pictures: Iterable[str]) -> str:
    """Put figures side by side, as many as there is room for."""
    return f"<div class='figures'>{''.join(pictures)}</div>"


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph."""
    return f"<p{f' class={kind!r}' if kind else ''}>{escape(text)}</p>"


def heading(text: str, level: int = 2) -> str:
    """Return a heading."""
    return f"<h{level}>{escape(text)}</h{level}>"


def write_page(path: Path, title: str, parts: Iterable[str]) -> Path:
    """Write the page whole or not at all; returns its path."""
    text = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><link rel='icon' href='data:,'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"{heading(title, 1)}{''.join(parts)}</body></html>\n"
    )
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
    return path


def p_value(value: float) -> str:
    """Write a p-value with four places."""
    return f"{value:.4f}" if value >= 1e-4 else "below 0.0001"  # noqa: PLR2004 - what four places can show


def share(value: float | None) -> str:
    """Write a share with three places; a hyphen where there is none."""
    return "-" if value is None or value != value else f"{value:.3f}"  # noqa: PLR0124 - a NaN is not itself
