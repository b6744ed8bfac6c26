"""From a participant to a decoder.

In the order in which a calibration goes:

- ``start.py``: opens a calibration on a live stream: lock, disk, stream, recorder, trainer
- ``protocol.py``: which gestures are asked for, how often, for how long and at whose pace
- ``session_ports.py``: what a calibration needs from the world; ``emg_feed.py``: the EMG, in a thread;
  ``recording_process.py``: the recorder, ``training_process.py`` and ``training_jobs.py``: the trainer, in processes
- ``session.py``: the state machine; ``session_view.py``: what it shows and what may be done; ``session_text.py``: in
  which words; ``session_parts.py``: its recordings; ``activity.py``: the bar of the muscle's activity
- ``trial_runner.py``: one trial after the other; ``muscle_onset.py`` and ``muscle_labels.py``: where in it the muscle
  works; ``trial_judge.py``: whether it counts; ``trial_labels.py``: as events of the recording
- ``progress.py``: how far a calibration got, from those events
- ``labels.py``: labels of the muscle, or cues and margins, to windows; ``trials.py``: those of whole sessions
- ``signal_options.py``: what a person chose of the signal path
- ``candidates.py``: the feature sets and classifiers that a decoder may be made of
- ``held_out.py``: accuracy on repetitions that the classifier has not seen, and the temperature from them
- ``choice.py``: which candidate, by cross-validation over repetitions
- ``unknown.py``: how far from every gesture a window may lie, for decoders that reject unknown patterns
- ``train.py``: sessions to decoder.onnx and a report
- ``grid_shift.py``: how the sleeve lies now, from activity maps, and whether that may be believed
- ``recalibrate.py``: an older decoder made to fit a new donning
"""
