"""What tests of devices share: an Aux stream read with pylsl itself, and a device published and read."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pylsl

from emg_acquisition.stream_info import events_source_id
from emg_acquisition.streams.device_publisher import connect_device, run_device
from emg_acquisition.streams.inlet import EmgInlet, EventInlet
from tests.waiting import PATIENCE_S, wait_for


def read_blocks(device, n_samples, timeout_s=0.1):
    """Read until so many samples have come; returns the blocks."""
    blocks = []

    def come():
        blocks.extend(device.read(timeout_s))
        return sum(block.n_samples for block in blocks) >= n_samples

    wait_for(come, f"{n_samples} samples", PATIENCE_S + n_samples / 500, poll_s=0)
    return blocks


class AuxReader:
    """An Aux stream, as any LSL program reads it."""

    def __init__(self, source_id):
        (self.partial,) = pylsl.resolve_bypred(f"type='Aux' and source_id='{source_id}'", 1, 5.0)
        self.inlet = pylsl.StreamInlet(self.partial, max_buflen=60, recover=False)
        self.header_xml = self.inlet.info(5.0).as_xml()
        self.inlet.open_stream(5.0)

    def pull(self):
        """Everything that has arrived: values, shape (n_samples, n_channels), and time stamps, shape (n_samples,)."""
        values, t_lsl_s = self.inlet.pull_chunk(0.0, 1_000_000)
        shape = (len(t_lsl_s), self.partial.channel_count())
        return np.asarray(values, dtype=np.float32).reshape(shape), np.asarray(t_lsl_s)

    def close(self):
        self.inlet.close_stream()


class Running:
    """`run_device` in a thread, with inlets on its first EMG stream and its events where they are to be read."""

    def __init__(self, device, limits=None, *, read=True):
        self.device, self.stop, self.result, self.inlets = device, threading.Event(), [], []
        assert connect_device(device, 5.0, self.stop)
        self.thread = threading.Thread(target=self._run, args=(limits,), daemon=True)
        self.thread.start()
        if read:
            (left, *_), source_id = device.infos, device.infos[0].source_id
            with ThreadPoolExecutor() as pool:
                events = pool.submit(EventInlet, events_source_id(source_id), 5.0)
                self.left = self.opened(EmgInlet(left.source_id, 5.0))
                self.markers = self.opened(events.result())
        self.chunks, self.events = [], []

    def release(self):
        self.device.t_connected_s = time.monotonic()
        self.device.released.set()
        return self

    def opened(self, inlet):
        self.inlets.append(inlet)
        return inlet

    def _run(self, limits):
        try:
            self.result.append(run_device(self.device, stop=self.stop, limits=limits))
        except Exception as error:  # noqa: BLE001 - for the test to look at
            self.result.append(error)

    def pull_until(self, condition):
        def pulled():
            self.chunks += self.left.pull(0.02)
            self.events += self.markers.pull(0.0)
            return condition()

        if not condition():
            wait_for(pulled, lambda: [event.kind for event in self.events], poll_s=0)

    def seen(self, kind):
        return [event for event in self.events if event.kind == kind]

    def has_sample(self, n):
        return any(n in chunk.emg_uv[:, 0] for chunk in self.chunks)

    def end(self):
        self.stop.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        return self.result[0]

    def close(self):
        self.end()
        for inlet in self.inlets:
            inlet.close()


def high_passed(emg_uv, cutoff_hz, fs_hz):
    """What is left behind a first-order high-pass that has settled on the first sample."""
    keep = np.exp(-2 * np.pi * cutoff_hz / fs_hz)
    out = np.zeros(emg_uv.shape)
    for n in range(1, len(emg_uv)):
        out[n] = keep * (out[n - 1] + emg_uv[n].astype(float) - emg_uv[n - 1])
    return out
