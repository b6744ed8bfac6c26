"""Features to probabilities with onnxruntime: the only file that imports it."""

import numpy as np
import onnxruntime as ort

from decoding.onnx_structure import check_structure
from emg_acquisition.arrays import Float32Array
from emg_acquisition.errors import InputError

DISTANCE = "distance"


class OnnxClassifier:
    """A graph of features (1, n_channels, n_features) to probabilities (1, n_gestures).

    A second output, ``distance`` of shape (1,), may give the distance of the window from every gesture.

    Parameters
    ----------
    content : bytes
        The ONNX file.
    name : str
        What to call it in an error: its path.

    Attributes
    ----------
    metadata : dict of str to str
        The file's ``metadata_props``.
    has_distance : bool
        Whether it gives a distance.
    input_shape, output_shape : tuple
        As its graph declares them.

    Raises
    ------
    InputError
        If it is no ONNX file that onnxruntime can read, its graph is of another kind, or holds what
        `decoding.onnx_structure` refuses.
    """

    def __init__(self, content: bytes, name: str) -> None:
        options = ort.SessionOptions()
        # One window is microseconds of work: a pool of threads costs more than it saves, and one thread on a
        # batch of one gives the same bits live and in replay.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            check_structure(content)
            self._session = ort.InferenceSession(
                content, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
            self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        except Exception as error:  # onnxruntime's errors share no public base class
            why = f": {error}" if type(error) is ValueError else " (truncated or of another kind)"
            msg = f"{name}: not a readable ONNX file{why}; train or copy it again"
            raise InputError(msg) from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        further = [output.name for output in outputs[1:]]
        shapes = [len(one.shape) for one in (*inputs, *outputs[:1])]
        if shapes != [3, 2] or further not in ([], [DISTANCE]):
            msg = f"{name}: its graph takes no features (1, channels, features); it is no hdemg decoder"
            raise InputError(msg)
        self._feed_name, self._fetch_names = inputs[0].name, [output.name for output in outputs]
        self.has_distance = bool(further)
        self.input_shape = tuple(inputs[0].shape)
        self.output_shape = tuple(outputs[0].shape)

    def probabilities(self, features: Float32Array) -> Float32Array:
        """Classify one window: the first part of `classify`."""
        return self.classify(features)[0]

    def classify(self, features: Float32Array) -> tuple[Float32Array, float]:
        """Classify one window.

        Parameters
        ----------
        features : ndarray, shape (n_channels, n_features)
            float32.

        Returns
        -------
        ndarray, shape (n_gestures,)
            float32, adding up to one.
        float
            Distance from the nearest gesture; 0 where the graph gives none.
        """
        found = self._session.run(self._fetch_names, {self._feed_name: features[np.newaxis]})
        distance = float(found[1][0]) if self.has_distance else 0.0
        return np.asarray(found[0][0], dtype=np.float32), distance
