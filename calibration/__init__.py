"""From a participant to a decoder.

In the order in which a calibration goes:

- ``protocol.py``: which gestures are asked for, how often and for how long
- ``labels.py``: cues to labelled windows, without the seconds around a change
- ``held_out.py``: accuracy on repetitions that the classifier has not seen, and the temperature from them
- ``unknown.py``: how far from every gesture a window may lie, for decoders that reject unknown patterns
- ``train.py``: sessions to decoder.onnx and a report
"""
