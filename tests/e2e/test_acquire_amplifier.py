"""``hdemg acquire AMPLIFIER --emulate`` as a user runs it, read over LSL; and what it refuses."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from emg_acquisition.streams.inlet import EmgInlet
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from tests.command_line import Ran, command, refused
from tests.device_support import AuxReader, high_passed

PATIENCE_S = 30.0


@pytest.fixture
def acquire(lsl_session: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``hdemg acquire`` and wait until it says that it streams."""
    started = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command("acquire", *arguments, "--lsl-session", lsl_session, "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert "streaming" in process.stdout.readline(), process.communicate()[1]
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[dict[str, object], str]:
    """End it as Ctrl-C does, within a second; returns what it reports and its error stream."""
    t_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - t_s < 1.0
    assert process.returncode == 0, err
    return json.loads(out.strip().splitlines()[-1]), err


def read(inlet: EmgInlet, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    chunks, deadline_s = [], time.monotonic() + PATIENCE_S
    while sum(chunk.n_samples for chunk in chunks) < n_samples:
        assert time.monotonic() < deadline_s
        chunks += inlet.pull(0.1)
    assert not any(chunk.gap_before_s for chunk in chunks)
    return np.concatenate([c.emg_uv for c in chunks]), np.concatenate([c.t_lsl_s for c in chunks])


def worn(inlet: EmgInlet, seed: int, cutoff_hz: float) -> np.ndarray:
    """What the wearer's electrodes measure in the first 10 s, behind the amplifier's high-pass."""
    settings = WearerSettings(seed=seed, fs_hz=inlet.info.fs_hz, grid=inlet.info.grid)
    emg_uv = SimulatedWearer(settings).read(int(10 * inlet.info.fs_hz))
    return high_passed(emg_uv, cutoff_hz, inlet.info.fs_hz)


def place_of(first: np.ndarray, expected: np.ndarray, lsb_uv: float) -> int:
    """Return where in the wearer's signal the first sample lies: the one row that it equals to a count."""
    (found,) = np.flatnonzero(np.abs(expected - first).max(axis=1) <= 0.6 * lsb_uv)
    return int(found)


def follows(emg_uv: np.ndarray, expected: np.ndarray, lsb_uv: float) -> None:
    first = place_of(emg_uv[0], expected, lsb_uv)
    assert np.abs(emg_uv - expected[first : first + len(emg_uv)]).max() <= 0.6 * lsb_uv


@pytest.mark.alone
def test_a_muovi_plus_that_nobody_has_streams_what_its_wearer_does(acquire: Callable) -> None:
    process = acquire("muovi+", "--emulate", "--wearer", "3", "--serial", "e2e", "--grid", "sleeve-16x4")
    inlet, aux = EmgInlet("muovi-plus-e2e", 10.0), AuxReader("muovi-plus-e2e-aux")
    assert inlet.info.grid.name == "sleeve-16x4"
    emg_uv, t_lsl_s = read(inlet, 1500)
    follows(emg_uv, worn(inlet, 3, 10.0), 0.2861)
    values, aux_t_lsl_s = aux.pull()
    common, in_emg, in_aux = np.intersect1d(t_lsl_s, aux_t_lsl_s, return_indices=True)
    assert len(common) > 500
    # The ramp counts the samples that the stamps stand for.
    np.testing.assert_array_equal(np.diff(values[in_aux, -1]) % 2**16, np.diff(in_emg))
    inlet.close()
    aux.close()
    report, err = ended(process)
    assert report["lost_samples"] == report["gaps"] == report["reconnects"] == 0, err
    assert report["samples"] >= 1500


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize(
    ("arguments", "lsb_uv", "cutoff_hz", "source_ids"),
    [
        (("sessantaquattro", "--grid", "GR08MM1305"), 0.2861, 2000 / 190, ("sessantaquattro-1",)),
        (("sessantaquattro+",), 0.2861, 2000 / 190, ("sessantaquattro-plus-1",)),
        (("muovi", "--rate", "2000"), 0.2861, 10.0, ("muovi-1",)),
        (
            ("syncstation", "--inputs", "muovi+:1", "--inputs", "muovi+:2"),
            0.2861,
            10.0,
            ("-muovi-plus-1", "-muovi-plus-2"),
        ),
        (("quattrocento", "--inputs", "MULTIPLE-IN1"), 0.50863, 10.0, ("quattrocento-1",)),
        (("intan", "--inputs", "A", "--inputs", "B"), 0.195, 0.1, ("intan-rhx-a", "intan-rhx-b")),
    ],
    ids=["sessantaquattro", "sessantaquattro+", "muovi", "syncstation", "quattrocento", "intan"],
)
def test_every_amplifier_streams_what_its_wearers_do(
    acquire: Callable,
    arguments: tuple[str, ...],
    lsb_uv: float,
    cutoff_hz: float,
    source_ids: tuple[str, ...],
) -> None:
    process = acquire(*arguments, "--emulate", "--wearer", "1")
    for k, source_id in enumerate(source_ids):
        full = f"syncstation-1{source_id}" if source_id.startswith("-") else source_id
        inlet = EmgInlet(full, 10.0)
        emg_uv, _ = read(inlet, 4000)
        follows(emg_uv, worn(inlet, 1 + k, cutoff_hz), lsb_uv)
        inlet.close()
    ended(process)


@pytest.mark.alone
def test_the_synthetic_board_of_brainflow_streams(acquire: Callable) -> None:
    pytest.importorskip("brainflow")
    process = acquire("brainflow", "--board", "synthetic", "--serial", "e2e")
    inlet = EmgInlet("brainflow-synthetic-e2e", 10.0)
    emg_uv, t_lsl_s = read(inlet, 100)
    assert emg_uv.shape[1] == 16
    np.testing.assert_allclose(np.diff(t_lsl_s), 1 / 250, rtol=2e-3)
    inlet.close()
    ended(process)


def test_an_amplifier_that_is_not_there_is_one_line_in_the_time_given(
    hdemg: Callable[..., Ran], lsl_session: str
) -> None:
    given = ("--timeout", "1", "--lsl-session", lsl_session)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = hdemg("acquire", "muovi", "--host", "127.0.0.1", "--port", port, *given)
        refused(ran, "127.0.0.1:" + port, "cannot listen")
    ran = hdemg("acquire", "intan", "--port", port, *given)
    refused(ran, "no amplifier within 1 s", "no device answers", "127.0.0.1:" + port)
    assert ran.status == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("simulated", "--host", "127.0.0.1"), ("--host", "an amplifier, not for simulated")),
        (("simulated", "--grid", "sleeve-4x16", "--grid", "sleeve-16x4"), ("--grid once",)),
        (("simulated", "--grid", "sleeve-9x9"), ("'sleeve-9x9' is not known", "sleeve-4x16")),
        (("simulated", "--loop"), ("--loop", "a recorded session")),
        (("moovi",), ("'moovi' is neither", "muovi+", "simulated")),
        (("ses-1", "--intentions", "me"), ("--intentions", "the simulated wearer", "not for ses-1")),
        (("ses-1", "--rate", "1000"), ("--rate",)),
        (("muovi+", "--host", "127.0.0.1", "--loop"), ("--loop",)),
        (("muovi+", "--host", "127.0.0.1", "--wearer", "77"), ("--wearer", "--emulate")),
        (("intan", "--board", "cyton"), ("--board", "brainflow", "intan")),
        (("quattrocento", "--grid", "nowhere.yaml"), ("nowhere.yaml",)),
        (("intan", "--set", "gain=8"), ("gain", "waveform_port")),
        (("brainflow", "--board", "synthetic", "--emulate"), ("--emulate", "brainflow")),
    ],
    ids=lambda value: value[0],
)
def test_an_option_of_something_else_is_refused_by_name(
    capsys: pytest.CaptureFixture[str], lsl_session: str, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    from ui.cli import main

    assert main(["acquire", *arguments, "--lsl-session", lsl_session]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("hdemg acquire: error:")
    for word in words:
        assert word in line


def test_brainflow_without_its_extra_is_one_line_that_names_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lsl_session: str
) -> None:
    import sys

    from ui.cli import main

    monkeypatch.delitem(sys.modules, "emg_acquisition.sources.brainflow_board", raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == "brainflow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without("brainflow"), *sys.meta_path])
    assert main(["acquire", "brainflow", "--board", "cyton", "--lsl-session", lsl_session]) == 2
    assert "pip install 'hdemg-teleop[brainflow]'" in capsys.readouterr().err


class _Without:
    """Finds one package missing, as where it is not installed."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".", maxsplit=1)[0] == self.package:
            raise ModuleNotFoundError(f"No module named {self.package!r}", name=self.package)
