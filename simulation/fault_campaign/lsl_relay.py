"""LSL relays that stand between source, decoder and bridge and make faults on demand.

``python -m simulation.fault_campaign.lsl_relay emg|gesture``: a process of its own, bound to the one stream with the
``source_id`` given, that offers it again under another. Production code knows nothing of it: the decoder and the
bridge are bound to the relay's stream exactly as they would be to the true one. When the true stream ends, so does
the relay's, at once.
"""

import argparse
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import StreamLostError, StreamNotFoundError
from emg_acquisition.stream_info import GestureStreamInfo
from emg_acquisition.streams.inlet import EmgInlet, GestureInlet
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.outlet import EmgOutlet, GestureOutlet, lsl_clock_s
from simulation.fault_campaign.relay_link import NONE, FaultSwitch

PULL_S = 0.05
SEARCH_S = 1.0
CHUNK_SAMPLES = 20
HISTORY_S = 0.4
JUMP_S = 2.0
GAIN = 10.0
MAINS_UV = 800.0
MAINS_HZ = 50.0


class EmgFaults:
    """Good samples in, faulty ones out; keeps what was good for faults that send it again.

    Parameters
    ----------
    fs_hz : float
        Sampling rate.
    """

    def __init__(self, fs_hz: float) -> None:
        self._fs_hz = fs_hz
        self._rng = np.random.default_rng(0)
        self._kept = round(HISTORY_S * fs_hz)
        self._old_uv: Float32Array | None = None
        self._old_t_s: Float64Array = np.empty(0)
        self._place = 0

    def apply(
        self, fault: str, emg_uv: Float32Array, t_lsl_s: Float64Array
    ) -> tuple[Float32Array, Float64Array]:
        """Return what is sent in place of samples, shape (n, n_channels), and their stamps, shape (n,)."""
        if fault == NONE:
            self._remember(emg_uv, t_lsl_s)
            return emg_uv, t_lsl_s
        if fault in {"repeats", "loops"}:
            old_uv, old_t_s = self._again(len(emg_uv))
            return old_uv, (old_t_s if fault == "repeats" else t_lsl_s)
        if fault.startswith("clock"):
            return emg_uv, t_lsl_s + (JUMP_S if fault == "clock_forth" else -JUMP_S)
        return self._corrupted(fault, emg_uv), t_lsl_s

    def _corrupted(self, fault: str, emg_uv: Float32Array) -> Float32Array:
        faulty: Float32Array = emg_uv.copy()
        half = emg_uv.shape[1] // 2
        if fault == "nan":
            faulty[:] = np.nan
        elif fault == "gain":
            faulty *= np.float32(GAIN)
        elif fault == "half_off":
            faulty[:, :half] = 0.0
        elif fault == "half_floating":
            t_s = (self._place + np.arange(len(emg_uv))) / self._fs_hz
            self._place += len(emg_uv)
            mains = MAINS_UV * np.sin(2 * np.pi * MAINS_HZ * t_s)
            faulty[:, :half] = mains[:, np.newaxis] + self._rng.normal(0.0, 30.0, (len(emg_uv), half))
        return faulty

    def _remember(self, emg_uv: Float32Array, t_lsl_s: Float64Array) -> None:
        self._place = 0
        old_uv = emg_uv if self._old_uv is None else np.concatenate([self._old_uv, emg_uv])
        self._old_uv = old_uv[-self._kept :]
        self._old_t_s = np.concatenate([self._old_t_s, t_lsl_s])[-self._kept :]

    def _again(self, n: int) -> tuple[Float32Array, Float64Array]:
        if self._old_uv is None:
            msg = "no sample has passed the relay yet that it could send again"
            raise StreamLostError(msg)
        taken = (self._place + np.arange(n)) % len(self._old_uv)
        self._place += n
        return self._old_uv[taken], self._old_t_s[taken]


def relay_emg(source_id: str, as_id: str, switch: FaultSwitch) -> None:
    """Relay an EMG stream until the campaign ends; a stream that comes back is relayed anew."""
    while not switch.ended.is_set():
        try:
            inlet = EmgInlet(source_id, SEARCH_S, stop=switch.ended)
        except StreamNotFoundError:
            continue
        outlet = EmgOutlet(replace(inlet.info, source_id=as_id), CHUNK_SAMPLES)
        faults = EmgFaults(inlet.info.fs_hz)
        try:
            while not switch.ended.is_set():
                for chunk in inlet.pull(PULL_S):
                    outlet.push_stamped(*faults.apply(switch.fault, chunk.emg_uv, chunk.t_lsl_s))
        except StreamLostError:
            pass
        finally:
            outlet.close()
            inlet.close()


class GestureFaults:
    """Decisions in, faulty ones out."""

    def __init__(self, rate_hz: float) -> None:
        self._good: deque[tuple[Float32Array, float]] = deque(maxlen=max(1, round(HISTORY_S * rate_hz)))

    def apply(self, fault: str, values: Float32Array, t_lsl_s: float) -> tuple[Float32Array, float]:
        """Return what is sent in place of a decision, shape (4 + n_gestures,), and its stamp."""
        if fault == NONE:
            self._good.append((values, t_lsl_s))
            return values, t_lsl_s
        if fault == "replays" and self._good:
            self._good.rotate(-1)
            return self._good[-1]
        faulty = values.copy()
        if fault == "bad_index":
            faulty[0] = len(values)
        elif fault == "nan":
            faulty[1] = np.nan
        return faulty, t_lsl_s


def relay_gestures(source_id: str, as_id: str, switch: FaultSwitch) -> None:
    """Relay a Gesture stream until the campaign ends; for ``impostor`` another decoder takes its name."""
    while not switch.ended.is_set():
        try:
            inlet = GestureInlet(source_id, SEARCH_S, stop=switch.ended)
        except StreamNotFoundError:
            continue
        info = replace(inlet.info, source_id=as_id)
        outlet = GestureOutlet(info)
        faults = GestureFaults(info.rate_hz)
        try:
            while not switch.ended.is_set() and switch.fault != "impostor":
                values, stamps = inlet.pull_values(PULL_S)
                for row, t_lsl_s in zip(values, stamps.tolist(), strict=True):
                    outlet.push(*faults.apply(switch.fault, row, t_lsl_s))
        except StreamLostError:
            pass
        finally:
            outlet.close()
            inlet.close()
        _impersonate(info, switch)


def _impersonate(info: GestureStreamInfo, switch: FaultSwitch) -> None:
    """Speak under the true decoder's name and source_id as another decoder does, shouting every gesture in turn."""
    if switch.fault != "impostor":
        return
    other = replace(info, gestures=tuple(reversed(info.gestures)), decoder_sha256="0" * 64)
    outlet = GestureOutlet(other)
    pause = threading.Event()
    sent = 0
    while switch.fault == "impostor" and not switch.ended.is_set():
        values = np.zeros(info.n_channels, dtype=np.float32)
        values[0] = (sent // 40) % len(info.gestures)
        values[[1, 2, 3]] = 1.0
        outlet.push(values, lsl_clock_s())
        sent += 1
        pause.wait(1.0 / info.rate_hz)
    outlet.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Relay until the campaign closes its end of the socket."""
    parser = argparse.ArgumentParser(
        prog="python -m simulation.fault_campaign.lsl_relay", description=__doc__
    )
    parser.add_argument("kind", choices=("emg", "gesture"))
    parser.add_argument("--fd", type=int, required=True, help="socket to the campaign, inherited")
    parser.add_argument("--lsl-session", required=True)
    parser.add_argument("--from", dest="source_id", required=True, help="the true stream's source_id")
    parser.add_argument("--as", dest="as_id", required=True, help="the relay's own source_id")
    options = parser.parse_args(arguments)
    configure_lsl(options.lsl_session)
    switch = FaultSwitch(options.fd)
    relay = relay_emg if options.kind == "emg" else relay_gestures
    relay(options.source_id, options.as_id, switch)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
