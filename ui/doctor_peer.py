"""The other process of ``hdemg doctor``: sends over LSL or ROS 2 until its standard input is closed."""

import sys
import threading


def main(kind: str, name: str) -> int:
    """Send `name` over ``lsl`` or ``ros``; whoever started this process ends it by closing its standard input."""
    stop = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(stop,), daemon=True).start()
    (_send_lsl if kind == "lsl" else _send_ros)(name, stop)
    return 0


def _wait_for_the_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _send_lsl(name: str, stop: threading.Event) -> None:
    from emg_acquisition.events import Event
    from emg_acquisition.streams.lsl_config import configure_lsl
    from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s

    configure_lsl(name)
    outlet = EventOutlet("hdemg doctor", name)
    while not stop.wait(0.02):
        outlet.push(Event(lsl_clock_s(), "ping", {}))
    outlet.close()


def _send_ros(name: str, stop: threading.Event) -> None:
    from robot_bridge.ros_loopback import talk

    talk(name, stop)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
