"""HTML pages by Jinja2 templates; every report extends ``base.html.j2``, here or in another package."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent


def write_page(path: Path, template: Path, **values: object) -> Path:
    """Fill a template, all values escaped, and write the page whole or not at all; returns its path.

    Parameters
    ----------
    path : Path
        The page.
    template : Path
        A ``.html.j2`` file.
    **values
        What it names; ``title`` is the base's.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    write_whole(path, environment.get_template(template.name).render(values))
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, its line ends as they are."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_bytes(text.encode())
    unfinished.replace(path)


def p_value(value: float) -> str:
    """Write a p-value with four places."""
    return f"{value:.4f}" if value >= 1e-4 else "below 0.0001"  # noqa: PLR2004 - what four places can show


def share(value: float | None) -> str:
    """Write a share with three places; a hyphen where there is none."""
    return "-" if value is None or value != value else f"{value:.3f}"  # noqa: PLR0124 - a NaN is not itself
