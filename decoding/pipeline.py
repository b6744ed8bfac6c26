"""The decoder at work: microvolts in, decisions out; the same object live and in replay."""

import numpy as np

from decoding.decision import Decider, HopEvidence
from decoding.decoder_file import DecoderFile, DecoderMetadata
from decoding.drift import DriftFollower
from decoding.feature_chain import FeatureBlock, FeatureChain
from decoding.plausibility import LoudnessBound
from decoding.temporal import HopFilter
from decoding.windows import window_spec
from emg_acquisition.arrays import Float32Array
from emg_acquisition.decision import Decision
from emg_acquisition.stream_info import EmgStreamInfo


class DecoderPipeline:
    """A decoder bound to a stream.

    Every window is classified by itself, a batch of one, because a matrix product's bits depend on the batch:
    so a replay gives exactly the decisions that were live.

    Parameters
    ----------
    decoder : DecoderFile
        From `decoding.decoder_file.load_decoder`.
    stream : EmgStreamInfo
        The stream to decode.

    Attributes
    ----------
    gestures : tuple of str
        Names by ``Decision.gesture_index``.

    Raises
    ------
    DecoderMismatchError
        If the stream is not of the kind that the decoder was trained on.
    """

    def __init__(self, decoder: DecoderFile, stream: EmgStreamInfo) -> None:
        metadata = decoder.metadata
        metadata.verify_stream(stream)
        self.gestures = metadata.gestures
        self._chain = FeatureChain(metadata.signal, metadata.fs_hz, metadata.electrode_grid)
        self._classifier = decoder.classifier()
        self._decider = Decider(metadata.decision, metadata.effort, metadata.rest_index)
        self._temporal = hop_filter(metadata)
        self._drift = DriftFollower(
            metadata.drift, decoder.statistics, metadata.signal.features, metadata.rest_index
        )
        self._loudness = LoudnessBound(decoder.statistics, metadata.signal.features)
        # The first run allocates; that belongs to the start and not to the first decision.
        self._classifier.probabilities(
            np.zeros((stream.n_channels, len(metadata.signal.features)), dtype=np.float32)
        )

    def process(self, emg_uv: Float32Array, /) -> list[Decision]:
        """Take the next samples, (n_samples, n_channels), and return the decisions of the hops that they end.

        Raises
        ------
        InputError
            If the array has another number of channels or is not float32.
        """
        block = self._chain.process(emg_uv)
        return [self._decide(block, k) for k in range(len(block))]

    def _decide(self, block: FeatureBlock, k: int) -> Decision:
        features = self._drift.corrected(block.features[k])
        probabilities, distance = self._classifier.classify(features)
        evidence = HopEvidence(
            sample_index=int(block.last_sample[k]),
            probabilities=probabilities,
            log_amplitude=float(block.log_amplitude[k]),
            quality=min(float(block.quality[k]), self._loudness.plausible_share(features)),
            distance=distance,
            smoothed=self._temporal.process(probabilities[np.newaxis])[0] if self._temporal else None,
        )
        decision = self._decider.process(evidence)
        self._drift.learn(features, decision)
        return decision

    def reset(self) -> None:
        """Start again after a gap; sample indices count from 0 again."""
        self._chain.reset()
        self._drift.reset()
        self._decider.reset()
        if self._temporal:
            self._temporal.reset()


def hop_filter(metadata: DecoderMetadata) -> HopFilter | None:
    """Return the temporal model that a decoder asks for, in its initial state; None if it asks for none."""
    if metadata.temporal is None:
        return None
    spec = window_spec(metadata.signal, metadata.fs_hz)
    return HopFilter(metadata.temporal, spec, metadata.fs_hz, len(metadata.gestures), metadata.rest_index)
