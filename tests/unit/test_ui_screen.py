"""A machine that can show no window says so in one line."""

import importlib.util
import socket

import pytest

from emg_acquisition.errors import InputError
from ui import screen
from ui.screen import require_screen


@pytest.fixture(autouse=True)
def linux_with_libraries(monkeypatch):
    monkeypatch.setattr(screen.sys, "platform", "linux")
    monkeypatch.setattr(screen, "missing_packages", list)
    found = importlib.util.find_spec("sys")
    monkeypatch.setattr(screen.importlib.util, "find_spec", lambda _name: found)
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def refused():
    with pytest.raises(InputError) as caught:
        require_screen()
    text = str(caught.value)
    assert "\n" not in text
    assert "--headless" in text
    return text


def test_without_qt(monkeypatch):
    monkeypatch.setattr(screen.importlib.util, "find_spec", lambda _name: None)
    assert "pip install 'hdemg-teleop[gui]'" in refused()


def test_without_system_libraries(monkeypatch):
    monkeypatch.setattr(screen, "missing_packages", lambda: ["libegl1", "libgl1"])
    assert "apt-get install libegl1 libgl1" in refused()


def test_without_a_screen():
    assert "no screen" in refused()


@pytest.mark.parametrize("display", [":87654", "127.0.0.1:1"])
def test_a_screen_that_does_not_answer(monkeypatch, display):
    monkeypatch.setenv("DISPLAY", display)
    assert f"DISPLAY={display} does not answer" in refused()


def test_a_wayland_socket_that_answers(monkeypatch, tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-0"))
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        assert "WAYLAND_DISPLAY=wayland-0 does not answer" in refused()
        server.listen()
        require_screen()


def test_an_x_server_that_answers_under_its_abstract_name(monkeypatch):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0/tmp/.X11-unix/X87653")
        server.listen()
        monkeypatch.setenv("DISPLAY", ":87653.0")
        require_screen()


def test_qt_that_draws_without_a_screen(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    require_screen()


def test_what_only_x11_needs_is_not_missed_without_it(monkeypatch):
    monkeypatch.setattr(screen, "missing_packages", lambda: ["libxcb-keysyms1", "libxkbcommon-x11-0"])
    monkeypatch.setenv("DISPLAY", ":87654")
    assert "libxcb-keysyms1" in refused()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    require_screen()
    monkeypatch.setattr(screen, "missing_packages", lambda: ["libegl1", "libxcb-keysyms1"])
    assert "install libegl1," in refused()


@pytest.mark.parametrize("command", [("calibrate", "--participant", "P01"), ("teleop", "decoder.onnx")])
def test_a_command_with_a_window_says_so_in_one_line_before_it_begins_anything(
    hdemg, monkeypatch, tmp_path, command
):
    (tmp_path / "decoder.onnx").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    ran = hdemg(*command)
    assert ran.status != 0
    assert len(ran.err.strip().splitlines()) == 1
    assert "--headless" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["decoder.onnx"]
