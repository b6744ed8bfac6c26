"""The live chain, a process a stage: source, decoder, bridge and simulated Stretch, and the recorder beside them."""

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from emg_acquisition.errors import StreamLostError
from emg_acquisition.events import START, Event
from emg_acquisition.recording.session import SESSION_FILE
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from robot_bridge.operator_link import OperatorLink, RobotSnapshot
from robot_bridge.ros_domain import free_ros_domain
from robot_bridge.ros_scope import this_machine_only
from teleoperation.processes import ProcessGroup

START_TIMEOUT_S = 30.0
POLL_S = 0.05
START_EVERY_S = 0.2
# `hdemg bridge` tells modes, arming, stops and faults there.
BRIDGE_EVENTS_ID = "hdemg-bridge-events"
BRIDGE_NAME = "hdemg"
# A recording ends, and whoever records it then ends too; every other stage runs until it is stopped.
ENDING_STAGES = ("acquire", "record")


def decoder_source_id(sleeve: str) -> str:
    """Return the ``source_id`` of a sleeve's decoder; an only sleeve has no name."""
    return of_sleeve("hdemg-decoder", sleeve)


def of_sleeve(name: str, sleeve: str) -> str:
    """Return a name for what belongs to one sleeve: ``decode-left``, or ``decode`` where the sleeve has no name."""
    return f"{name}-{sleeve}" if sleeve else name


@dataclass(frozen=True)
class Sleeve:
    """One sleeve of the chain.

    Parameters
    ----------
    decoder : Path
        Decoder file.
    emg_source_id : str or None
        Its EMG stream; None takes the only one of the chain's LSL session.
    name : str
        As the gesture map names it; empty where there is only one.
    """

    decoder: Path
    emg_source_id: str | None = None
    name: str = ""


@dataclass(frozen=True)
class ChainSettings:
    """What the chain is made of.

    Parameters
    ----------
    sources : sequence of sequence of str
        Arguments of ``hdemg acquire``: once a sleeve in their order, or once for all of them; empty where the EMG
        streams are there already.
    sleeves : sequence of Sleeve
        In the order of the gesture map.
    gesture_map : str
        Name of a ready-made map or a YAML file.
    out : Path
        Folder for the logs of the stages.
    cli_module : str
        Module that runs an ``hdemg`` command line.
    record_to : Path or None
        Session folder to record.
    participant : str
        Participant code of that session.
    event_source_ids : tuple of str
        Markers streams to record besides the bridge's.
    robot : sequence of str or None
        Arguments of ``hdemg sim-robot``; None where a robot is there already.
    holds_start : bool
        Whether the sources can hold their first sample until all are up; an amplifier cannot.
    decoder_id, robot_namespace : str or None
        Under which source_id the only decoder speaks and in which namespace the robot is, where a relay stands between
        them and the bridge; None: the bridge's own.
    """

    sources: Sequence[Sequence[str]]
    sleeves: Sequence[Sleeve]
    gesture_map: str
    out: Path
    cli_module: str
    record_to: Path | None = None
    participant: str = "P00"
    event_source_ids: tuple[str, ...] = ()
    robot: Sequence[str] | None = ()
    holds_start: bool = True
    decoder_id: str | None = None
    robot_namespace: str | None = None


@dataclass(frozen=True)
class Isolation:
    """Names that keep a chain to itself: no stream or robot outside it can be heard or driven.

    ``ros_domain_id`` None leaves ROS 2 as the environment has it, for a robot that runs already. ``token`` is unique to
    this chain, also where it shares LSL session and namespace with others.
    """

    lsl_session: str
    ros_domain_id: int | None
    namespace: str
    token: str

    @property
    def environment(self) -> dict[str, str]:
        """What processes of this chain need in their environment."""
        if self.ros_domain_id is None:
            return {}
        return {"ROS_DOMAIN_ID": str(self.ros_domain_id), **this_machine_only()}


def isolate(*, lsl_session: str | None = None, namespace: str | None = None) -> Isolation:
    """Choose names that nobody else has, and put this process's ROS 2 among them.

    Call it before the first ROS 2 node of the process is made. A `lsl_session` that is given is that of a stream which
    is there already; a `namespace`, that of a robot which is there, in the ROS domain of the environment.
    """
    token = uuid.uuid4().hex[:10]
    lsl = lsl_session if lsl_session is not None else f"hdemg-{token}"
    if namespace is not None:
        return Isolation(lsl, None, namespace, token)
    names = Isolation(lsl, free_ros_domain(), f"hdemg_{token}", token)
    os.environ.update(names.environment)
    return names


class LiveChain:
    """The running stages and the operator's link to the bridge. Made by `running_chain`."""

    def __init__(self, settings: ChainSettings, names: Isolation) -> None:
        self.settings = settings
        self.names = names
        self._control_id = f"hdemg-chain-control-{names.token}"
        # Before anything is opened: what cannot be started must leave nothing behind.
        self._stages()
        self.processes = ProcessGroup(settings.out / "logs", settings.cli_module, names.environment)
        self.link = OperatorLink(names.namespace, sleeves=[sleeve.name for sleeve in settings.sleeves])
        self._control = EventOutlet("chain control", self._control_id)
        self._ending = threading.Event()
        self._starter = threading.Thread(target=self._say_start, name="chain-control", daemon=True)

    def start(self) -> None:
        """Start every stage, the robot first.

        The sources hold their first sample until all are up. One that cannot is recorded before it is decoded: replay
        needs the EMG from the decoder's first sample on. The recorder itself waits for the bridge's streams.
        """
        stages = self._stages()
        decoders = [] if self.settings.holds_start else [name for name in stages if kind_of(name) == "decode"]
        for name in stages:
            if name not in decoders:
                self.processes.start(name, stages[name])
        if decoders:
            self._wait_for_recorder()
        for name in decoders:
            self.processes.start(name, stages[name])

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the stages, in the order in which they are started."""
        return tuple(self._stages())

    def record_to(self, folder: Path) -> None:
        """Start a recorder anew, into another folder."""
        self.settings = replace(self.settings, record_to=folder)
        self.restart("record")

    def restart(self, name: str) -> None:
        """Start a stage again that has ended. The robot stays stopped until it is armed."""
        self.processes.start(name, self._stages()[name])

    def _stages(self) -> dict[str, list[str]]:
        settings = self.settings
        lsl = [_option("--lsl-session", self.names.lsl_session), _option("--timeout", str(START_TIMEOUT_S))]
        ros = [_option("--namespace", self.names.namespace)]
        bridge = ["bridge", _option("--map", settings.gesture_map)]
        stages: dict[str, list[str]] = {}
        if settings.robot is not None:
            stages["sim-robot"] = [
                "sim-robot",
                *settings.robot,
                _option("--namespace", settings.robot_namespace or self.names.namespace),
            ]
        held = [_option("--start-with", self._control_id)] if settings.holds_start else []
        for source, whose in zip(settings.sources, self._wearers(), strict=True):
            stages[of_sleeve("acquire", whose)] = ["acquire", *source, *held, *lsl]
        if settings.record_to is not None:
            stages["record"] = [*self._record_arguments(settings.record_to), *lsl]
        for sleeve in settings.sleeves:
            speaks_as = settings.decoder_id or decoder_source_id(sleeve.name)
            decode = [
                "decode",
                str(sleeve.decoder),
                *_emg_argument(sleeve),
                _option("--source-id", speaks_as),
            ]
            stages[of_sleeve("decode", sleeve.name)] = [*decode, *lsl]
            bridge.append(_option("--decoder", decoder_source_id(sleeve.name)))
        stages["bridge"] = [*bridge, *lsl, *ros]
        return stages

    def _wearers(self) -> list[str]:
        """Name whose EMG each source offers: a sleeve's, or where one offers that of all sleeves, the empty name."""
        sleeves, sources = self.settings.sleeves, self.settings.sources
        return [one.name for one in sleeves] if len(sources) == len(sleeves) else [""] * len(sources)

    def _record_arguments(self, folder: Path) -> list[str]:
        settings = self.settings
        arguments = ["record", str(folder), _option("--participant", settings.participant)]
        for sleeve in settings.sleeves:
            arguments += [*_emg_argument(sleeve), _option("--gesture", decoder_source_id(sleeve.name))]
        for source_id in (*settings.event_source_ids, BRIDGE_EVENTS_ID):
            arguments.append(_option("--events", source_id))
        return [*arguments, _option("--bridge", BRIDGE_NAME)]

    @property
    def source_ended(self) -> bool:
        """Whether a recorded source has played to its end; the recorder ends with it."""
        dead = self.processes.dead()
        return any(status == 0 and kind_of(name) in ENDING_STAGES for name, status in dead.items())

    def check(self) -> None:
        """Raise StreamLostError with a stage's own last words if any stage has ended but as it should."""
        for name, status in self.processes.dead().items():
            if status == 0 and kind_of(name) in ENDING_STAGES:
                continue
            msg = f"{name} ended (status {status}): {self.processes.last_words(name)}"
            raise StreamLostError(msg)

    def wait_until_ready(self) -> None:
        """Wait until every stage is up, let the sources go, and wait for the first decision."""
        self._wait_for(lambda now: now.positions is not None and bool(now.safety_state), "robot and bridge")
        self._wait_for_recorder()
        self._starter.start()
        self._wait_for(lambda now: now.decisions > 0, "the first decision")

    def _wait_for_recorder(self) -> None:
        recorded = self.settings.record_to
        if recorded is not None:
            self._wait_for(lambda _: (recorded / SESSION_FILE).exists(), "the recorder")

    def _wait_for(self, reached: Callable[[RobotSnapshot], bool], what: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not reached(self.link.snapshot()):
            self.check()
            if time.monotonic() > deadline:
                msg = f"{what} did not come within {START_TIMEOUT_S:g} s; the logs are in {self.processes.log_dir}"
                raise StreamLostError(msg)
            time.sleep(POLL_S)

    def _say_start(self) -> None:
        """Say it again and again: a source that is started anew must hear it too."""
        while not self._ending.wait(START_EVERY_S):
            self._control.push(Event(lsl_clock_s(), START, {}))

    def close(self) -> None:
        """Stop every stage, the bridge before the decoder and the robot last, and leave none behind."""
        self.link.stop_heartbeat()
        self.processes.end("bridge")
        self.processes.stop()
        self._ending.set()
        if self._starter.ident is not None:
            self._starter.join()
        self._control.close()
        self.link.close()

    def arm(self, timeout_s: float = 15.0) -> None:
        """Arm as soon as the bridge accepts it: inputs fresh, robot read, muscles at rest."""
        self.check()
        self.link.arm_within(timeout_s)


def kind_of(stage: str) -> str:
    """Return what a sleeve's stage is, whosesoever: ``decode`` of ``decode-left``."""
    return stage.partition("-")[0]


def _emg_argument(sleeve: Sleeve) -> list[str]:
    return [_option("--emg", sleeve.emg_source_id)] if sleeve.emg_source_id is not None else []


def _option(name: str, value: str) -> str:
    """Return an option and its value as one word: a value that begins with ``-`` is no option of its own."""
    return f"{name}={value}"


@contextmanager
def running_chain(settings: ChainSettings, names: Isolation) -> Iterator[LiveChain]:
    """Start the chain; on the way out stop the robot first, then every stage, leaving none behind."""
    chain = LiveChain(settings, names)
    try:
        chain.start()
        chain.link.start_heartbeat()
        yield chain
    finally:
        chain.close()
