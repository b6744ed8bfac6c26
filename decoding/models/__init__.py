"""Classifiers in torch: fitted here, run elsewhere as ONNX.

In the order in which a decoder comes about:

- ``classifier.py``: the Protocol that a classifier keeps
- ``lda.py``: linear discriminant analysis with a shrunk covariance
- ``temperature.py``: probabilities that mean what they say, on data held out
- ``distance.py``: how far a window lies from every gesture, a second output of the graph
- ``export.py``: classifier and metadata into one decoder.onnx

Only this package imports torch and onnx; nothing that runs a decoder imports this package.
"""
