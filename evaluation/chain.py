"""The live chain, a process a stage: source, decoder, bridge and simulated Stretch, and the recorder beside them."""

import os
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emg_acquisition.errors import StreamLostError
from emg_acquisition.recording.session import SESSION_FILE
from evaluation.processes import ProcessGroup
from robot_bridge.errors import CommandRejectedError
from robot_bridge.operator_link import OperatorLink

START_TIMEOUT_S = 30.0
POLL_S = 0.05
HIGHEST_PORTABLE_DOMAIN = 101  # DDS: beyond it, ports collide with those that Linux hands out by itself


@dataclass(frozen=True)
class ChainSettings:
    """What the chain is made of.

    Parameters
    ----------
    source : sequence of str
        Arguments of ``hdemg acquire``.
    emg_source_id : str
        The stream that the source will offer.
    decoder : Path
        Decoder file.
    gesture_map : str
        Name of a ready-made map or a YAML file.
    out : Path
        Folder for the logs of the stages.
    record_to : Path or None
        Session folder to record.
    participant : str
        Participant code of that session.
    event_source_ids : tuple of str
        Markers streams to record besides the bridge's.
    """

    source: Sequence[str]
    emg_source_id: str
    decoder: Path
    gesture_map: str
    out: Path
    record_to: Path | None = None
    participant: str = "P00"
    event_source_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Isolation:
    """Names that keep a chain to itself: no stream or robot outside it can be heard or driven."""

    lsl_session: str
    ros_domain_id: int
    namespace: str

    @property
    def environment(self) -> dict[str, str]:
        """What processes of this chain need in their environment."""
        return {
            "ROS_DOMAIN_ID": str(self.ros_domain_id),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "ROS_LOCALHOST_ONLY": "1",
        }


def isolate() -> Isolation:
    """Choose names that nobody else has, and put this process's ROS 2 among them.

    Call it before the first ROS 2 node of the process is made.
    """
    token = uuid.uuid4().hex[:10]
    names = Isolation(f"hdemg-{token}", random.randint(1, HIGHEST_PORTABLE_DOMAIN), f"hdemg_{token}")  # noqa: S311
    os.environ.update(names.environment)
    return names


class LiveChain:
    """The running stages and the operator's link to the bridge. Made by `running_chain`."""

    DECODER_ID = "hdemg-decoder"

    def __init__(self, settings: ChainSettings, names: Isolation) -> None:
        self.settings = settings
        self.names = names
        self.processes = ProcessGroup(settings.out / "logs", names.environment)
        self.link = OperatorLink(names.namespace)

    def start(self) -> None:
        """Start every stage: the robot first, and the recorder before the decoder.

        A replay needs the EMG from before the decoder's first sample.
        """
        for name, arguments in self._stages().items():
            self.processes.start(name, arguments)
            if name == "record":
                self._wait_for_recorder()

    def _wait_for_recorder(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.settings.record_to is not None and not (self.settings.record_to / SESSION_FILE).exists():
            self.check()
            if time.monotonic() > deadline:
                msg = f"the recorder did not start within {START_TIMEOUT_S:g} s; its log is in {self.processes.log_dir}"
                raise StreamLostError(msg)
            time.sleep(POLL_S)

    def restart(self, name: str) -> None:
        """Start a stage again that has ended. The robot stays stopped until it is armed."""
        self.processes.start(name, self._stages()[name])

    def _stages(self) -> dict[str, list[str]]:
        settings = self.settings
        lsl = ["--lsl-session", self.names.lsl_session, "--timeout", str(START_TIMEOUT_S)]
        ros = ["--namespace", self.names.namespace]
        decode = [
            "decode",
            str(settings.decoder),
            "--emg",
            settings.emg_source_id,
            "--source-id",
            self.DECODER_ID,
        ]
        bridge = [
            "bridge",
            "--decoder",
            self.DECODER_ID,
            "--map",
            settings.gesture_map,
            "--require-heartbeat",
        ]
        stages = {
            "sim-robot": ["sim-robot", *ros],
            "acquire": ["acquire", *settings.source, "--wait-for-consumers", *lsl],
        }
        if settings.record_to is not None:
            stages["record"] = [*self._record_arguments(settings.record_to), *lsl]
        stages["decode"] = [*decode, *lsl]
        stages["bridge"] = [*bridge, *lsl, *ros]
        return stages

    def _record_arguments(self, folder: Path) -> list[str]:
        settings = self.settings
        arguments = ["record", str(folder), "--participant", settings.participant]
        arguments += ["--emg", settings.emg_source_id, "--gesture", self.DECODER_ID]
        for source_id in settings.event_source_ids:
            arguments += ["--events", source_id]
        return arguments

    def check(self) -> None:
        """Raise StreamLostError with a stage's own last words if any stage has ended."""
        for name, status in self.processes.dead().items():
            msg = f"{name} ended (status {status}): {self.processes.last_words(name)}"
            raise StreamLostError(msg)

    def wait_until_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until the bridge has decisions and a robot, and is disarmed."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.check()
            snapshot = self.link.snapshot()
            if snapshot.positions is not None and snapshot.decisions > 0:
                return
            time.sleep(POLL_S)
        msg = f"the chain did not come up within {timeout_s:g} s; its logs are in {self.processes.log_dir}"
        raise StreamLostError(msg)

    def arm(self, timeout_s: float = 15.0) -> None:
        """Arm as soon as the bridge accepts it: inputs fresh, robot read, muscles at rest."""
        deadline = time.monotonic() + timeout_s
        while True:
            self.check()
            try:
                self.link.arm()
            except CommandRejectedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return


@contextmanager
def running_chain(settings: ChainSettings, names: Isolation) -> Iterator[LiveChain]:
    """Start the chain; on the way out stop the robot first, then every stage, leaving none behind."""
    chain = LiveChain(settings, names)
    try:
        chain.start()
        chain.link.start_heartbeat()
        yield chain
    finally:
        chain.link.stop_heartbeat()
        chain.processes.stop()
        chain.link.close()
