"""From microvolts to decisions.

In the order in which a chunk goes:

- ``stage.py``: the contract that every stage keeps
- ``signal_settings.py``: settings of the way from microvolts to features
- ``repair.py``: faulty samples held before the filter, faulty channels found and their features mended
- ``repetition.py``: old samples that are sent again, for repair to find
- ``filters.py``: causal band-pass and powerline notch
- ``windows.py``: samples to hops, hops to windows
- ``spatial.py``: common average or Laplacian on the grid, hop by hop
- ``hop_sums.py``: what a hop adds to the sums that features are made of; ``welch.py`` those of overlapping pieces
- ``features.py``: features of a window from its hops' sums; ``window_sums.py`` and ``autoregression.py`` hold the
  formulas of those that are more than a sum
- ``heat_map.py``: features of the whole array, after repair
- ``feature_chain.py``: the stages so far, wired; training uses the same
- ``onnx_structure.py``: what an ONNX file from somebody else may not hold
- ``onnx_classifier.py``: features to probabilities, with onnxruntime
- ``plausibility.py``: channels louder than this person's muscles ever were
- ``temporal.py``: probabilities over hops weighed together; off unless a decoder asks for it
- ``decision.py``: probabilities to a decision: rejection, dwell, release, effort
- ``drift.py``: slow drift followed by trusted decisions, bounded; off unless a decoder asks for it
- ``class_statistics.py``: what a decoder remembers of its training, for recalibration
- ``decoder_file.py``: decoder.onnx, its metadata and its check against a stream
- ``pipeline.py``: microvolts to decisions, the same object live and in replay
- ``live.py``: EMG stream to Gesture stream around the pipeline
- ``models/``: classifiers in torch, their temperature and their export; only training imports it
"""
