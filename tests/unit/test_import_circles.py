"""The rooms of the project: no circles, and nothing reaches upwards, not even by a name in a string."""

from pathlib import Path

import pytest

from tests.import_circles import problems


def test_no_file_or_folder_imports_in_a_circle_or_upwards():
    assert problems() == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"decoding/a.py": "from decoding import b", "decoding/b.py": "def f():\n    import decoding.a"},
            "files import each other: decoding.a <-> decoding.b",
        ),
        (
            {
                "decoding/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from decoding.b import B",
                "decoding/b.py": "from decoding.a import A",
            },
            "files import each other: decoding.a <-> decoding.b",
        ),
        (
            {
                "ui/x/a.py": "import ui.y.b",
                "ui/y/b.py": "",
                "ui/y/c.py": "import ui.x.d",
                "ui/x/d.py": "",
            },
            "folders import each other: ui.x <-> ui.y",
        ),
        ({"decoding/a.py": "import ui.cli", "ui/cli.py": ""}, "decoding.a reaches upwards, to ui.cli"),
        ({"decoding/a.py": "RUN = 'ui.cli'", "ui/cli.py": ""}, "decoding.a reaches upwards, to ui.cli"),
        (
            {
                "evaluation/a.py": "COMMAND = ['-m', f'simulation.{1}.relay simulation.b']",
                "simulation/b.py": "",
            },
            "evaluation.a reaches upwards, to simulation.b",
        ),
    ],
)
def test_each_kind_of_it_is_found(tmp_path: Path, files: dict[str, str], words: str):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert problems(tmp_path) == [words]


def test_what_is_in_order_is_not_reported(tmp_path: Path):
    (tmp_path / "decoding").mkdir()
    (tmp_path / "ui").mkdir()
    (tmp_path / "decoding" / "a.py").write_text('"""Used by ui.cli, as a docstring may say."""\n')
    (tmp_path / "ui" / "cli.py").write_text("from decoding.a import *\n")
    assert problems(tmp_path) == []
