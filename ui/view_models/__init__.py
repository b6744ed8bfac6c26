"""What windows show, worked out without Qt.

- ``calibration_controls.py``: which buttons and keys a calibration has now, and which gestures may be dropped or merged
- ``live_traces.py``: which electrodes' traces a live session shows, raw or filtered
- ``teleop_words.py``: checks, health, the trial and the joints of a live session in words
- ``outline.py``: minimum and maximum of many samples, for few columns of a screen; live and of a recording
- ``replay_reader.py``: reads a recorded session in threads of its own, the whole and what is asked for now
- ``replay.py``: where a person is in it, and what they can do; ``replay_words.py``: what is there, in words
"""
