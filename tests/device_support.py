"""What tests of devices share: an Aux stream read with pylsl itself."""

import numpy as np
import pylsl


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
        return np.asarray(values, dtype=np.float32).reshape(len(t_lsl_s), -1), np.asarray(t_lsl_s)

    def close(self):
        self.inlet.close_stream()
