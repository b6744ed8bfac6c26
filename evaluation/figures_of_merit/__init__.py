"""What can be said of a decoder in numbers: pure functions of arrays, each with its formula and where it is from.

- ``classification.py``: confusion, accuracy, balanced accuracy, macro-F1.
- ``reliability.py``: whether probabilities mean what they say.
- ``rejection.py``: what a confidence threshold costs and saves.
- ``holds.py``: what a hold is worth: usable commands, wrong commands, stability.
- ``information.py``: bits a selection and a minute.
- ``intervals.py``: bootstrap over trials and participants.
- ``paired_tests.py``: two decoders on the same trials or participants.
"""
