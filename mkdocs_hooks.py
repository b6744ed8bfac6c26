"""What mkdocs runs while it builds the site: the page of commands, from the commands themselves."""

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add ``commands.md``."""
    sys.path.insert(0, str(Path(__file__).parent))
    from tools.command_reference import command_reference  # noqa: PLC0415 - found by the line above

    files.append(File.generated(config, "commands.md", content=command_reference()))
    return files
