"""What windows show, worked out without Qt.

- ``calibration_controls.py``: which buttons and keys a calibration has now, and which gestures may go
- ``live_traces.py``: which electrodes' traces a live session shows, raw or filtered
- ``teleop_words.py``: checks, health, the trial and the joints of a live session in words
- ``traces.py``: the outline of many samples, for few columns of a screen
"""
