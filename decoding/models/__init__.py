"""Classifiers in torch: fitted here, run elsewhere as ONNX.

In the order in which a decoder comes about:

- ``classifier.py``: the Protocol that a classifier keeps
- ``lda.py``: linear discriminant analysis with a shrunk covariance
- ``grid_cnn.py``: a small network over the electrode map; ``grid_tables.py`` says where channels lie on it
- ``temperature.py``: probabilities that mean what they say, on data held out
- ``distance.py``: how far a window lies from every gesture, a second output of the graph
- ``export.py``: classifier and metadata into one decoder.onnx

Only this package imports torch and onnx; nothing that runs a decoder imports this package.
"""
