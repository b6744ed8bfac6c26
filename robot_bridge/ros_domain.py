"""A ROS domain that nobody on this machine uses.

The first DDS participant of domain d on a host listens at UDP port 7400 + 250 d + 10 (DDSI-RTPS 2.5, §9.6.2.3), so a
domain in use shows by that port.
"""

import random
import socket

from emg_acquisition.errors import InputError

# Beyond it, DDS's ports collide with those that Linux hands out by itself.
HIGHEST_PORTABLE_DOMAIN = 101
_PORT_BASE, _DOMAIN_GAIN, _FIRST_UNICAST = 7400, 250, 10


def free_ros_domain() -> int:
    """Return a ROS domain id from 1 to 101, at random among those that no participant here has joined.

    Raises
    ------
    InputError
        If every one is in use.
    """
    domains = list(range(1, HIGHEST_PORTABLE_DOMAIN + 1))
    random.shuffle(domains)
    for domain in domains:
        if _is_free(domain):
            return domain
    msg = (
        f"all ROS domains from 1 to {HIGHEST_PORTABLE_DOMAIN} are in use on this machine: end some ROS nodes"
    )
    raise InputError(msg)


def first_unicast_port(domain: int) -> int:
    """UDP port that the first participant of a domain listens at."""
    return _PORT_BASE + _DOMAIN_GAIN * domain + _FIRST_UNICAST


def _is_free(domain: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", first_unicast_port(domain)))
        except OSError:
            return False
    return True
