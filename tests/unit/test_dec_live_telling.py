"""A live decoder says at once since which sample it decodes, and again after a gap: replay begins there."""

import numpy as np

from decoding.live import LiveDecoderReport, _Publisher
from emg_acquisition.streams.chunks import EmgChunk


class Silent:
    """A pipeline that decides nothing."""

    def process(self, _emg_uv):
        return []

    def reset(self):
        pass


class Told(list):
    push = list.append


def chunk(begin_s: float, gap_s: float = 0.0) -> EmgChunk:
    return EmgChunk(np.zeros((50, 2), np.float32), begin_s + np.arange(50) / 1000, gap_s)


def test_a_new_beginning_is_told_with_its_first_chunk() -> None:
    told = Told()
    publisher = _Publisher(Silent(), Told(), told, LiveDecoderReport())
    for one in (chunk(10.0), chunk(10.05), chunk(12.0, gap_s=1.9), chunk(12.05)):
        publisher.decode(one)
    since = [event.fields["since_t_lsl_s"] for event in told]
    assert [one for k, one in enumerate(since) if k == 0 or one != since[k - 1]] == [10.0, 12.0]
    assert [event.fields["gaps"] for event in told][-1] == 1
