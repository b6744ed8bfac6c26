"""The state of each electrode, for the person who puts the sleeve on.

- ``measures.py``: samples to figures of each channel in a sliding window
- ``monitor.py``: those figures to a state, with the thresholds and their reasons
- ``live.py``: the same from an LSL stream, once a second
- ``picture.py``: the states as text: the grid, the faults and what to do about them
"""
