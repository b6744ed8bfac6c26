"""Import circles and upward references between the files of the project: ``python -m tests.import_circles``.

Every import counts: at the top of a file, within a function, or only for the type checker; and so does a module that is
named in a string.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A package may use those before it; two on one line do not know each other.
LAYERS = (
    ("emg_acquisition",),
    ("decoding",),
    ("calibration", "robot_bridge"),
    ("evaluation",),
    ("teleoperation",),
    ("simulation",),
    ("ui",),
)
LEVEL = {package: level for level, packages in enumerate(LAYERS) for package in packages}
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Return every module of the packages by its dotted name."""
    found = {}
    for package in LEVEL:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(tree: ast.AST, known: dict[str, Path]) -> set[str]:
    """Return the modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & known.keys() or {node.module}
            # A name that the package itself defines.
            if inner - known.keys():
                found.add(node.module)
    return found & known.keys()


def named_in_strings(tree: ast.AST, known: dict[str, Path]) -> set[str]:
    """Return the modules that are named in strings which are no docstrings."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    )
    return {match[0] for text in texts for match in _DOTTED.finditer(text)} & known.keys()


def circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yield every group of files that import each other, directly or by way of others (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                groups.append(sorted(group))

    sys.setrecursionlimit(10_000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    yield from groups


def package_circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yield every group of folders whose files import each other's; a folder and its own subfolders are one matter."""
    between: dict[str, set[str]] = {}
    for module, others in graph.items():
        folder = module.rpartition(".")[0] or module
        between.setdefault(folder, set())
        for other in others:
            target = other.rpartition(".")[0] or other
            between.setdefault(target, set())
            if target != folder and not _within(folder, target) and not _within(target, folder):
                between[folder].add(target)
    yield from circles(between)


def _within(inner: str, outer: str) -> bool:
    return inner.startswith(f"{outer}.")


def problems(root: Path = ROOT) -> list[str]:
    """Return a line for each circle and each module that a file of a lower room imports or names."""
    known = modules(root)
    trees = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in known.items()}
    graph = {module: imported(tree, known) - {module} for module, tree in trees.items()}
    found = [f"files import each other: {' <-> '.join(group)}" for group in circles(graph)]
    found += [f"folders import each other: {' <-> '.join(group)}" for group in package_circles(graph)]
    for module, tree in trees.items():
        own = LEVEL[module.partition(".")[0]]
        for other in sorted(graph[module] | named_in_strings(tree, known)):
            if LEVEL[other.partition(".")[0]] > own:
                found.append(f"{module} reaches upwards, to {other}")
    return found


if __name__ == "__main__":
    for line in problems():
        print(line)  # noqa: T201 - a command
    sys.exit(bool(problems()))
