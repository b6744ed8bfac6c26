"""Classifiers: fitted here, run elsewhere as ONNX.

In the order in which a decoder comes about:

- ``classifier.py``: the Protocol that a classifier keeps
- ``lda.py``: linear discriminant analysis with a shrunk covariance
- ``grid_cnn.py``: a small network over the electrode map; the only file that needs torch
- ``temperature.py``: calibrated probabilities, on data held out
- ``distance.py``: how far a window lies from every gesture, a second output of the graph
- ``export.py``: classifier and metadata into one decoder.onnx

Only this package imports onnx and torch; nothing that runs a decoder imports this package.
"""
