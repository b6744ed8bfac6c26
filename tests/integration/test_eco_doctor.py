"""``hdemg doctor``: what is there is found by using it, what is not is told with its remedy and the exit status."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emg_acquisition.errors import InputError
from emg_acquisition.sources.amplifiers import AmplifierChoice
from simulation.amplifiers.emulate import emulate_amplifier
from ui import cli, doctor

NO_PEER = (
    "import contextlib, sys; from ui import cli, doctor; doctor.PEER_TIMEOUT_S = 1.0;"
    "doctor._peer = lambda *_: contextlib.nullcontext(); sys.exit(cli.main(['doctor', '--json']))"
)


def _doctor(*arguments: str, cwd: Path) -> tuple[int, dict[str, dict[str, object]]]:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parent.parent)},
    )
    assert "Traceback" not in done.stderr, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["ok"] is (done.returncode == 0)
    return done.returncode, {check["name"]: check for check in said["checks"]}


@pytest.mark.usefixtures("ros_domain")
def test_a_machine_that_works(tmp_path: Path) -> None:
    status, checks = _doctor("-m", "ui.cli", "doctor", "--json", cwd=tmp_path)
    assert status == 0, checks
    for name in ("Python", "runtime packages", "LSL", "ROS 2"):
        assert checks[name]["ok"] is True, checks[name]
    assert {"extra train", "extra gui", "screen", "OpenGL", "clock", "disk", "incident log"} <= set(checks)
    assert all(check["remedy"] for check in checks.values() if check["ok"] is not True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("ros_domain")
def test_processes_that_do_not_find_each_other(tmp_path: Path) -> None:
    status, checks = _doctor("-c", NO_PEER, cwd=tmp_path)
    assert status == 1
    for name, remedy in (("LSL", "loopback"), ("ROS 2", "ROS_DOMAIN_ID")):
        assert checks[name]["ok"] is False
        assert remedy in str(checks[name]["remedy"])


def test_an_extra_that_is_missing_is_a_note_and_a_plain_package_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("torch", "scipy") else find(name)
    )
    extra, plain = doctor._extra("network"), doctor._packages()
    assert (extra.ok, extra.found) == (None, "missing torch")
    assert "hdemg-teleop[network]" in extra.remedy
    assert (plain.ok, plain.found) == (False, "missing scipy")


def test_a_full_and_a_read_only_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctor._disk().ok is not False
    with monkeypatch.context() as full:
        usage = SimpleNamespace(free=10 * 1024**2)
        full.setattr(doctor.shutil, "disk_usage", lambda _: usage)
        assert doctor._disk().ok is False

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert "cannot be written to (Permission denied)" in doctor._disk().found


def test_a_clock_that_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    walls = iter((1000.0, 1010.0))
    monkeypatch.setattr(doctor.time, "time", lambda: next(walls))
    check = doctor._clock()
    assert check.ok is False
    assert "stepped by 9" in check.found or "stepped by 10" in check.found


class Silence:
    """Electrodes that nobody wears."""

    def __init__(self, info):
        self.info = info

    def read(self, n_samples):
        return np.zeros((n_samples, self.info.n_channels), np.float32)

    def events_until(self, _sample_index):
        return []

    def close(self):
        """Nothing is held."""


def test_an_amplifier_is_reached_and_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    choice = AmplifierChoice("quattrocento", port=port)
    _, emulator = emulate_amplifier(choice, lambda device: [Silence(info) for info in device.infos])
    emulator.start()
    try:
        check = doctor.check_amplifier("quattrocento", "127.0.0.1", port, 10.0)
    finally:
        emulator.stop()
    assert check.ok is not False, check
    assert "samples a second of 2048" in check.found


def test_an_amplifier_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert doctor.check_amplifier(f"127.0.0.1:{port}", None, None, 1.0).ok is True
    for which, host, number in ((f"127.0.0.1:{port}", None, None), ("quattrocento", "127.0.0.1", port)):
        check = doctor.check_amplifier(which, host, number, 0.5)
        assert check.ok is False
        assert check.remedy
    with pytest.raises(InputError, match=r"one of sessantaquattro, .* is required, or HOST:PORT"):
        doctor.check_amplifier("muovy", None, None, 1.0)
