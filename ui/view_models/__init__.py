"""What windows show, worked out without Qt.

- ``calibration_controls.py``: which buttons and keys a calibration has now, and which gestures may go
- ``live_traces.py``: which electrodes' traces a live session shows, raw or filtered
- ``teleop_words.py``: checks, health, the trial and the joints of a live session in words
- ``traces.py``: the outline of many samples, for few columns of a screen
- ``emg_outline.py``: the same of a recording that is larger than memory, and the RMS at a moment of it
- ``replay_reader.py``: reads a recorded session in threads of its own, the whole and what is asked for now
- ``replay_place.py``: where a person is in it; ``replay.py``: what they can do
- ``replay_words.py``: what is there, in words
"""
