"""The campaign as a user runs it: a short one that is interrupted and continued, and, slow, every kind once."""

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from simulation.fault_campaign.bounds import ZERO_LIMIT_S
from simulation.fault_campaign.kinds import FAULT_KINDS
from tests.command_line import COMMAND_TIMEOUT_S, command
from tests.e2e.conftest import WEARER
from tests.waiting import wait_for

# The bridge itself and what it depends on die; a relay falsifies what it hears; somebody else is at the robot.
SHORT = ("decoder_killed", "run_stop")
# The figure that is promised is measured by the long campaign on a machine for itself; here others may run beside.
BUSY_MACHINE_MS = 500.0


def results(out: Path) -> list[dict]:
    path = out / "results.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def complaints(found: list[dict]) -> list[str]:
    """What went wrong, apart from the time that a busy machine takes."""
    return [
        f"{one['kind']} {one['dof']}: {one}"
        for one in found
        if not one["noticed"]
        or one["moved_before_rearm"]
        or one["zero_ms"] is None
        or one["zero_ms"] > BUSY_MACHINE_MS
        or one["travel"][one["dof"]] > one["bound"][one["dof"]] * BUSY_MACHINE_MS / (1e3 * ZERO_LIMIT_S)
    ]


@pytest.mark.alone
def test_a_short_campaign_keeps_what_it_measured_when_interrupted(
    simulated_decoder: Path, tmp_path: Path, ros_domain: int, marked_environment: dict[str, str]
) -> None:
    out = tmp_path / "campaign"
    out.mkdir()
    shutil.copy(simulated_decoder, out / "decoder.onnx")
    options = ("--kinds", ",".join(SHORT), "--wearer", str(WEARER), "--out", out, "--json", "--markdown")
    process = subprocess.Popen(
        command("fault-campaign", "--count", "60", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=marked_environment,
    )

    def every_kind():
        assert process.poll() is None, process.communicate()
        return {one["kind"] for one in results(out)} == set(SHORT)

    wait_for(every_kind, "a fault of every kind", COMMAND_TIMEOUT_S)
    # Taken as Ctrl-C is; a test run in the background ignores that one, and so would its children.
    process.send_signal(signal.SIGTERM)
    printed, errors = process.communicate(timeout=COMMAND_TIMEOUT_S)

    found = results(out)
    assert not complaints(found)
    figures = json.loads(printed.strip().splitlines()[-1])
    assert figures["injected"] == len(found) >= len(SHORT)
    assert (figures["kinds"], figures["missed"], figures["moved_before_rearm"]) == (len(SHORT), 0, 0)
    assert figures["worst_zero_ms"] == max(one["zero_ms"] for one in found)
    assert set(figures["worst_travel"]) == {one["dof"] for one in found}
    assert all(re.search(rf"^\| {kind} \|", printed, re.MULTILINE) for kind in SHORT)
    assert f"interrupted after {len(found)} of 60" in printed
    kept = figures["worst_zero_ms"] <= 1e3 * ZERO_LIMIT_S and "went" not in printed
    assert process.returncode == (130 if kept else 1), errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--kinds", "run_stop,earthquake"), "earthquake is no kind of fault"),
        (("--count", "0"), "an integer from 1 to 100000 is required, got '0'"),
        (("--count", "many"), "got 'many'"),
        (("--jobs", "-1"), "an integer from 1 to 16 is required"),
        (("--seed", "-3"), "at least 0"),
    ],
)
def test_nonsense_is_one_clear_line(hdemg, arguments: tuple[str, ...], complaint: str) -> None:
    ran = hdemg("fault-campaign", *arguments)
    assert ran.status == 2
    assert complaint in ran.err.strip().splitlines()[-1]
    assert "Traceback" not in ran.err
    assert not ran.out


def test_kinds_are_listed(hdemg) -> None:
    ran = hdemg("fault-campaign", "--kinds", "list")
    assert ran.status == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == [kind.name for kind in FAULT_KINDS]


@pytest.mark.slow
@pytest.mark.campaign
def test_every_kind_once(hdemg_process, simulated_decoder: Path, tmp_path: Path, ros_domain: int) -> None:
    shutil.copy(simulated_decoder, tmp_path / "decoder.onnx")
    count = str(len(FAULT_KINDS))
    options = ("--wearer", str(WEARER), "--out", tmp_path, "--json")
    ran = hdemg_process("fault-campaign", "--count", count, *options, timeout_s=1200.0)
    found = results(tmp_path)
    assert {one["kind"] for one in found} == {kind.name for kind in FAULT_KINDS}, ran.err
    assert not complaints(found)
    assert ran.json["injected"] == ran.json["kinds"] == len(FAULT_KINDS)
