"""One running chain with relays between its stages, an observer of the robot, and somebody who makes gestures."""

import os
import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emg_acquisition.errors import StreamLostError
from emg_acquisition.events import REST, Event
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from robot_bridge.gesture_map import load_gesture_map
from robot_bridge.robot_model import load_robot_model
from simulation.fault_campaign.observer import Observer
from simulation.fault_campaign.outsider import Outsider
from simulation.fault_campaign.relay_link import RelayLink
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from teleoperation.chain import ChainSettings, Isolation, LiveChain, Sleeve, decoder_source_id, running_chain

GESTURE_MAP = "ten_gestures"
RAW_DECODER_ID = "hdemg-decoder-before-relay"
TELL_EVERY_S = 0.2
RELAYS = "simulation.fault_campaign"


class Muscles:
    """Says again and again which gesture the simulated wearer makes: one that was started anew must hear it too."""

    def __init__(self) -> None:
        self.source_id = f"fault-intentions-{uuid.uuid4().hex[:8]}"
        self._outlet = EventOutlet("fault campaign intentions", self.source_id)
        self._gesture = REST
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="intentions", daemon=True)
        self._thread.start()

    def make(self, gesture: str) -> None:
        """Make a gesture from now on."""
        self._gesture = gesture
        self._tell()

    def _tell(self) -> None:
        self._outlet.push(Event(lsl_clock_s(), "intention", {"gesture": self._gesture, "effort": 1.0}))

    def _repeat(self) -> None:
        while not self._ending.wait(TELL_EVERY_S):
            self._tell()

    def close(self) -> None:
        """Fall silent."""
        self._ending.set()
        self._thread.join()
        self._outlet.close()


class FaultRig:
    """What faults are put into; made by `running_rig`."""

    def __init__(self, chain: LiveChain, muscles: Muscles, relays: dict[str, RelayLink]) -> None:
        self.chain, self.link, self.muscles, self.relays = chain, chain.link, muscles, relays
        self.model = load_robot_model()
        self.gestures = SimulatedWearer(WearerSettings()).gestures
        self.map = load_gesture_map(GESTURE_MAP, self.gestures, self.model)
        robot, bridge = robot_namespace(chain.names), chain.names.namespace
        self.observer = Observer(robot, bridge)
        self.outsider = Outsider(robot, bridge)

    def pid(self, stage: str) -> int:
        """Process id of a stage, or of the bridge's ``guard``."""
        if stage != "guard":
            return self.chain.processes.process(stage).pid
        bridge = self.pid("bridge")
        children = Path(f"/proc/{bridge}/task/{bridge}/children").read_text().split()
        if not children:
            msg = "the bridge has no guard process"
            raise StreamLostError(msg)
        return int(children[0])

    def signal(self, stage: str, number: signal.Signals) -> None:
        """Send a signal to a stage."""
        os.kill(self.pid(stage), number)

    def restart(self, stage: str) -> None:
        """End a stage if it has not ended, and start it again."""
        process = self.chain.processes.process(stage)
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        process.wait(15.0)
        self.chain.restart(stage)

    def close(self) -> None:
        """End what this process runs; the stages end with their chain."""
        self.outsider.close()
        self.observer.close()


def robot_namespace(names: Isolation) -> str:
    """Return the namespace in which the robot runs, on the far side of the relay."""
    return f"{names.namespace}_robot"


@contextmanager
def running_rig(
    decoder: Path, wearer_seed: int, names: Isolation, out: Path, cli_module: str
) -> Iterator[FaultRig]:
    """Start a chain with its relays and wait until it runs; on the way out leave nothing behind.

    Parameters
    ----------
    decoder : Path
        Decoder of that wearer.
    wearer_seed : int
        Which simulated wearer.
    names : Isolation
        Session, domain and namespace of this chain alone.
    out : Path
        Receives the logs of the stages.
    cli_module : str
        Module that runs an ``hdemg`` command line.

    Raises
    ------
    StreamLostError
        If a stage does not come up.
    """
    configure_lsl(names.lsl_session)
    # Hundreds of faults would push real incidents out of the log.
    os.environ["XDG_STATE_HOME"] = str(out.resolve() / "state")
    muscles = Muscles()
    emg_id = SimulatedWearer(WearerSettings(seed=wearer_seed)).info.source_id
    settings = ChainSettings(
        sources=(("simulated", "--wearer", str(wearer_seed), "--intentions", muscles.source_id),),
        sleeves=(Sleeve(decoder, relayed(emg_id)),),
        gesture_map=GESTURE_MAP,
        out=out,
        cli_module=cli_module,
        decoder_id=RAW_DECODER_ID,
        robot_namespace=robot_namespace(names),
        # Without a home around it: a robot that drives into a table would be stopped by the table.
        robot=("--kinematic",),
    )
    relays = {name: RelayLink() for name in ("emg", "gesture", "ros")}
    try:
        with running_chain(settings, names) as chain:
            _start_relays(chain, relays, emg_id)
            chain.wait_until_ready()
            rig = FaultRig(chain, muscles, relays)
            try:
                yield rig
            finally:
                rig.close()
    finally:
        for relay in relays.values():
            relay.close()
        muscles.close()


def relayed(emg_id: str) -> str:
    """Return the source_id under which the relay passes the wearer's stream on."""
    return f"{emg_id}-relayed"


def _start_relays(chain: LiveChain, relays: dict[str, RelayLink], emg_id: str) -> None:
    session = ["--lsl-session", chain.names.lsl_session]
    arguments = {
        "emg": ["emg", *session, "--from", emg_id, "--as", relayed(emg_id)],
        "gesture": ["gesture", *session, "--from", RAW_DECODER_ID, "--as", decoder_source_id("")],
        "ros": ["--robot", robot_namespace(chain.names), "--bridge", chain.names.namespace],
    }
    for name, relay in relays.items():
        module = f"{RELAYS}.ros_relay" if name == "ros" else f"{RELAYS}.lsl_relay"
        fd = relay.theirs.fileno()
        chain.processes.start(
            f"relay-{name}", [*arguments[name], "--fd", str(fd)], module=module, pass_fds=(fd,)
        )
        relay.started()
