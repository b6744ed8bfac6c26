"""Broken input made from whole input, and what it may do to its reader: end in our own error, soon."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emg_acquisition.errors import InputError, StreamLostError

# A short form in every test run, the same cases each time; the campaign with `pytest -m slow`, others each time.
SHORT, CAMPAIGN = 60, 10_000
HANGS_AFTER_S = 20.0
EITHER = pytest.mark.parametrize(
    "cases",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(CAMPAIGN, id="campaign", marks=[pytest.mark.slow, pytest.mark.campaign]),
    ],
)
_EXTREMES = [
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff" * 8,
    b"\x00\x00\x00\x80",
    b"\x00" * 8,
    b"<",
    b"&",
    b"*",
]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([-1, 0, 1, 10**6, 10**12, 2**31, 2**63, 10**30, 10**400]),
    st.floats(),
    st.sampled_from([1e308, -1e308, 1e-308, float("inf"), float("nan"), 0.5]),
    st.text(max_size=12),
    st.sampled_from(["", "rest", "none", "a" * 5000, "../../etc/passwd", "\x00", "1" * 5000, "[" * 3000]),
)
VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


def run(cases: int, strategy: st.SearchStrategy[Any], check: Callable[[Any], None]) -> None:
    """Give `cases` examples to `check`, each of which must end in time."""

    @settings(
        max_examples=cases,
        derandomize=cases == SHORT,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def campaign(example: Any) -> None:
        with in_time():
            check(example)

    campaign()


def ends_in_our_error(call: Callable[[], object]) -> str:
    """Whatever is wrong with the input, it is said as `InputError` (or that a stream is lost).

    Returns what was said; nothing where nothing was wrong.
    """
    said = ""
    try:
        call()
    except (InputError, StreamLostError) as error:
        said = str(error)
        if not said.strip():
            pytest.fail("an error that says nothing")
    return said


@contextmanager
def in_time() -> Iterator[None]:
    """Turn a hang into a failure."""

    def hang(_signal: int, _frame: object) -> None:
        pytest.fail(f"it hangs: no end after {HANGS_AFTER_S:g} s")

    former = signal.signal(signal.SIGALRM, hang)
    signal.setitimer(signal.ITIMER_REAL, HANGS_AFTER_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


@st.composite
def broken_bytes(draw: st.DrawFn, wholes: list[bytes]) -> bytes:
    """A whole input with bits flipped, bytes put in, taken out, repeated or cut off."""
    data = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.sampled_from([1, 1, 2, 4, 8, 64, len(data) // 4]))
        match draw(st.sampled_from(("flip", "put", "extreme", "remove", "repeat", "cut"))):
            case "flip" if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "put":
                data[at:at] = draw(st.binary(min_size=1, max_size=16))
            case "extreme":
                value = draw(st.sampled_from(_EXTREMES))
                data[at : at + len(value)] = value
            case "remove":
                del data[at : at + length]
            case "repeat":
                data[at:at] = data[at : at + length]
            case "cut":
                del data[at:]
    return bytes(data)


@st.composite
def broken_tree(draw: st.DrawFn, wholes: list[Any]) -> Any:
    """A document (dicts, lists and scalars) with parts of it replaced, removed or added."""
    tree = _copy(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(1, 3))):
        parent, key = _place(draw, tree)
        if parent is None:
            return draw(VALUES)
        match draw(st.sampled_from(("replace", "replace", "remove", "add"))):
            case "replace":
                parent[key] = draw(VALUES)
            case "remove":
                del parent[key]
            case "add" if isinstance(parent, dict):
                parent[draw(st.text(max_size=8))] = draw(VALUES)
            case _:
                parent.insert(0, draw(VALUES)) if isinstance(parent, list) else parent.clear()
    return tree


def _place(draw: st.DrawFn, tree: Any) -> tuple[Any, Any]:
    """Choose a place in the document: its container and the key there; (None, None) for the whole of it."""
    parent, key, here = None, None, tree
    while isinstance(here, (dict, list)) and here and draw(st.integers(0, 5)):
        parent = here
        key = draw(st.sampled_from(sorted(here, key=str) if isinstance(here, dict) else range(len(here))))
        here = here[key]
    return parent, key


def _copy(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copy(value) for key, value in tree.items()}
    return [_copy(value) for value in tree] if isinstance(tree, (list, tuple)) else tree
