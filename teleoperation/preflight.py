"""What must be right before the robot may be armed: each item good, or with what to do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from decoding.decoder_file import DecoderFile, DecoderMismatchError
from robot_bridge.operator_link import RobotSnapshot
from teleoperation.observer import FRESH_S, Seen
from teleoperation.sleeves import of_sleeve_text
from teleoperation.supervisor import PartState

GOOD_QUALITY, MIN_QUALITY = 0.9, 0.5
MIN_DISK_BYTES = 2e9
MAX_LATENCY_MS = 200.0


@dataclass(frozen=True)
class Check:
    """One item: its name, whether it is good, what was found, and what to do if it is not."""

    name: str
    good: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class PreflightInputs:
    """What is known when the checks are made.

    ``decoders`` and ``seen`` are one a sleeve; ``free_bytes`` is None where nothing is recorded.
    """

    parts: Sequence[PartState]
    decoders: Sequence[DecoderFile]
    seen: Sequence[Seen]
    robot: RobotSnapshot
    free_bytes: float | None


def preflight(inputs: PreflightInputs) -> tuple[Check, ...]:
    """Judge every item, in the order in which a person would mend them."""
    checks = [_parts(inputs.parts)]
    for decoder, seen in zip(inputs.decoders, inputs.seen, strict=True):
        own = (_emg(seen), _decoder(decoder, seen), _quality(seen), _decisions(decoder, seen))
        checks += [replace(check, name=of_sleeve_text(seen.sleeve, check.name)) for check in own]
    checks += [_clock(inputs.robot), _robot_seen(inputs.robot), _run_stop(inputs.robot)]
    if inputs.free_bytes is not None:
        checks.append(_disk(inputs.free_bytes))
    return tuple(checks)


def _parts(parts: Sequence[PartState]) -> Check:
    down = [part for part in parts if part.state != "running"]
    if not down:
        return Check("programs", True, f"{len(parts)} running")
    part = down[0]
    remedy = "wait for it" if part.state == "restarting" else "see its log, then start the session again"
    return Check("programs", False, f"{part.title}: {part.state} {part.detail}".strip(), remedy)


def _emg(seen: Seen) -> Check:
    if seen.info is None or not seen.emg_silent_s <= FRESH_S:
        remedy = "switch the amplifier on and check its cable or network"
        return Check("signal arrives", False, "no samples", remedy)
    info = seen.info
    return Check("signal arrives", True, f"{info.n_channels} channels at {info.fs_hz:g} Hz")


def _decoder(decoder: DecoderFile, seen: Seen) -> Check:
    if seen.info is None:
        return Check("decoder fits", False, "not known before the signal arrives", "see above")
    try:
        decoder.metadata.verify_stream(seen.info)
    except DecoderMismatchError as error:
        return Check("decoder fits", False, str(error), "calibrate with this sleeve, or choose its decoder")
    return Check("decoder fits", True, f"{len(decoder.metadata.gestures)} gestures")


def _quality(seen: Seen) -> Check:
    if seen.quality is None:
        return Check("electrodes", False, "not judged yet", "wait two seconds")
    bad = ", ".join(seen.bad_electrodes[:6]) + (" …" if len(seen.bad_electrodes) > 6 else "")  # noqa: PLR2004
    share = seen.quality.summary
    found = f"{share:.0%} good" + (f"; bad: {bad}" if bad else "")
    if share >= MIN_QUALITY:
        return Check("electrodes", True, found, "" if share >= GOOD_QUALITY else "press the bad ones on")
    return Check("electrodes", False, found, "press the sleeve on, moisten the electrodes, then look again")


def _decisions(decoder: DecoderFile, seen: Seen) -> Check:
    if seen.decision_silent_s <= FRESH_S:
        return Check("decisions arrive", True, f"{decoder.metadata.hop_rate_hz:.0f} a second")
    return Check("decisions arrive", False, "none", "see the decoder's log")


def _clock(robot: RobotSnapshot) -> Check:
    latency_ms = robot.latency_ms_median
    if math.isfinite(latency_ms) and not 0 <= latency_ms <= MAX_LATENCY_MS:
        remedy = "synchronise the amplifier computer's clock, or run acquisition on this one"
        return Check("clock", False, f"samples are {latency_ms:.0f} ms old when they arrive", remedy)
    return Check(
        "clock", True, f"{latency_ms:.0f} ms to the command" if math.isfinite(latency_ms) else "steady"
    )


def _robot_seen(robot: RobotSnapshot) -> Check:
    if robot.positions is None:
        return Check("robot", False, "no joint states", "start stretch_driver, or check ROS_DOMAIN_ID")
    if robot.safety_state == "":
        return Check("robot", False, "the bridge does not report", "see the bridge's log")
    if robot.driver_mode in {"homing", "stowing"}:
        return Check("robot", False, f"it is {robot.driver_mode}", "wait until it has finished")
    return Check("robot", True, f"in {robot.driver_mode or 'unknown'} mode")


def _run_stop(robot: RobotSnapshot) -> Check:
    if robot.runstopped:
        return Check("run-stop", False, "pressed", "release it on the robot")
    return Check("run-stop", True, "released")


def _disk(free_bytes: float) -> Check:
    found = f"{free_bytes / 1e9:.1f} GB free"
    good = free_bytes >= MIN_DISK_BYTES
    return Check("disk", good, found, "" if good else f"free {MIN_DISK_BYTES / 1e9:.0f} GB")
