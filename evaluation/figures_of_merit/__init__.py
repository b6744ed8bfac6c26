"""What can be said of a decoder in numbers: pure functions of arrays, each with its formula and its source.

- ``classification.py``: accuracy, balanced accuracy, macro-F1 and bits, from confusion counts.
- ``confidence.py``: whether probabilities mean what they say; what a confidence threshold costs and saves.
- ``holds.py``: what a hold is worth: usable commands, wrong commands, stability.
- ``intervals.py``: bootstrap over trials and participants.
"""
