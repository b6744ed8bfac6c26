"""From a participant to a decoder.

In the order in which a calibration goes:

- ``protocol.py``: which gestures are asked for, how often and for how long
- ``labels.py``: cues to labelled windows, without the seconds around a change
- ``candidates.py``: the feature sets and classifiers that a decoder may be made of
- ``held_out.py``: accuracy on repetitions that the classifier has not seen, and the temperature from them
- ``choice.py``: which candidate, by cross-validation over repetitions
- ``unknown.py``: how far from every gesture a window may lie, for decoders that reject unknown patterns
- ``train.py``: sessions to decoder.onnx and a report
- ``grid_shift.py``: how the sleeve lies now, from activity maps, and whether that may be believed
- ``recalibrate.py``: an older decoder made to fit a new donning
"""
