"""From a participant to a decoder.

In the order in which a calibration goes:

- ``start.py``: opens a calibration on a live stream: lock, disk, stream, recorder, trainer
- ``protocol.py``: which gestures are asked for, how often, for how long and at whose pace
- ``session_ports.py``: what a calibration needs from the world; ``emg_feed.py``: the EMG, in a thread;
  ``recording_process.py``: the recorder, ``training_process.py``: the trainer, in processes
- ``session.py``: the state machine; ``session_view.py``: what it shows, in which words, and what may be done;
  ``activity.py``: the bar of the muscle's activity
- ``parts.py``: the recordings of a calibration, and how far it got by them
- ``trial_runner.py``: one trial after the other; ``contraction.py``: where in it the muscle works;
  ``trial_verdict.py``: whether it counts, and the label that records it
- ``signal_options.py``: what a person chose of the signal path; ``train_settings.py``: how to train;
  ``training_set.py``: sessions to labelled windows
- ``outcomes.py``: what was decided against what was asked: trials and confusion counts
- ``held_out.py``: accuracy on repetitions that the classifier has not seen, and the temperature from them
- ``model_selection.py``: what a decoder may be made of, and the choice by cross-validation over repetitions
- ``unknown.py``: how far from every gesture a window may lie, for decoders that reject unknown patterns
- ``train.py``: sessions to decoder.onnx and a report
- ``grid_shift.py``: how the sleeve lies now, from activity maps, and whether that is reliable
- ``recalibrate.py``: an older decoder made to fit a new donning
"""
