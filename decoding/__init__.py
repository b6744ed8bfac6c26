"""From microvolts to decisions.

In the order in which a chunk goes:

- ``signal_settings.py``: settings of the path from microvolts to features
- ``repair.py``: faulty samples held before the filter, faulty channels found and their features repaired
- ``filters.py``: causal band-pass and powerline notch
- ``windows.py``: samples to hops, hops to windows
- ``spatial.py``: common average or Laplacian on the grid, hop by hop
- ``features.py``: features of a window from sums over its hops; ``welch.py`` those in the frequency domain
- ``feature_chain.py``: the stages so far, wired; training uses the same
- ``onnx_structure.py``: what an ONNX file from somebody else must not hold
- ``onnx_classifier.py``: features to probabilities, with onnxruntime
- ``plausibility.py``: channels louder than this person's muscles in training
- ``temporal.py``: probabilities smoothed over hops by an HMM; off unless a decoder asks for it
- ``decision.py``: probabilities to a decision: rejection, dwell, release, effort
- ``drift.py``: slow drift followed by trusted decisions, bounded; off unless a decoder asks for it
- ``class_statistics.py``: what a decoder keeps of its training, for recalibration
- ``decoder_file.py``: decoder.onnx, its metadata and its check against a stream
- ``pipeline.py``: microvolts to decisions, the same object live and in replay
- ``live.py``: EMG stream to Gesture stream around the pipeline
- ``models/``: classifiers, their temperature and their export; only training imports it

A stage has frozen settings, explicit state and a pure step, ``process(chunk)`` and ``reset()``, live and in replay.

- Any split of the input into chunks gives, bit for bit, the output of one block.
- The future never changes the past.
- The input is not mutated.
- An empty chunk gives an empty output.
- Non-finite input is repaired by name (`decoding.repair`), so that nothing latches in a filter.
- After `reset` a stage is as it was when made.

``tests/contracts/test_dec_stages.py`` holds every stage to it.
"""
