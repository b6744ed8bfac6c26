"""Keeps LSL to this machine and to one session, so that no stranger's stream is mistaken for ours."""

import re
import socket
import threading
from collections.abc import Sequence

import pylsl

from emg_acquisition.errors import InputError

DEFAULT_SESSION_ID = "default"
_VALID_SESSION_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_VALID_HOST = re.compile(r"[A-Za-z0-9_.-]{1,255}")
# On one machine a stream answers within a millisecond, but only one of them hears the first query and the others
# wait for the next round: liblsl's own rounds of half a second, meant for a network, would hide a second stream
# of the same name from whoever looks for less. Each outlet takes a port; 32, the default, are soon used up.
_CONFIG = """
[multicast]
ResolveScope = machine
[ports]
IPv6 = disable
PortRange = 128
[tuning]
MulticastMinRTT = 0.05
MulticastMaxRTT = 0.2
UnicastMinRTT = 0.05
UnicastMaxRTT = 0.2
[lab]
SessionID = {session_id}
KnownPeers = {{{peers}}}
[log]
level = -3
"""
# liblsl reads its configuration once, at its first use; what it was told is therefore state of the process.
_lock = threading.Lock()
_configured: list[tuple[str, frozenset[str]]] = []


def configure_lsl(session_id: str, other_hosts: Sequence[str] = ()) -> None:
    """Tell LSL its session; streams are then found only on this machine and only within the session.

    Call it before anything else uses LSL. liblsl reads this configuration in place of any ``lsl_api.cfg``:
    discovery stays on the loopback addresses, and no library message but a fatal one reaches the terminal.

    Parameters
    ----------
    session_id : str
        Letters, digits, ``_``, ``.`` and ``-``; processes that are to find each other share it.
    other_hosts : sequence of str
        Names of machines whose streams are let in too, each asked directly. Whoever can send from there can feed
        this process: only for a network that nobody else is on.

    Raises
    ------
    InputError
        If a name has other characters, or LSL already runs otherwise in this process.
    """
    for host in other_hosts:
        if not _VALID_HOST.fullmatch(host):
            msg = f"host {host!r}: a name or address of letters, digits, '_', '.' or '-' is required"
            raise InputError(msg)
    if not _VALID_SESSION_ID.fullmatch(session_id):
        msg = f"LSL session id {session_id!r}: 1 to 64 letters, digits, '_', '.' or '-' are required"
        raise InputError(msg)
    hosts = frozenset(other_hosts)
    with _lock:
        if _configured and _configured[0] != (session_id, hosts):
            msg = (
                f"LSL session {_configured[0][0]!r} is already in use in this process; "
                f"start another process for session {session_id!r}"
            )
            raise InputError(msg)
        if not _configured:
            pylsl.set_config_content(_CONFIG.format(session_id=session_id, peers=", ".join(sorted(hosts))))
            _configured.append((session_id, hosts))


def ensure_configured() -> str:
    """Return the session id in use; LSL's own default, machine-local, where nobody has chosen one."""
    if not _configured:
        configure_lsl(DEFAULT_SESSION_ID)
    return _configured[0][0]


def let_in_hosts() -> frozenset[str]:
    """Return the names of the machines whose streams are let in: this one and those that were asked for."""
    ensure_configured()
    return _configured[0][1] | {socket.gethostname()}
