"""Where samples come from, one file a source.

- ``source.py``: the Protocol of a source that makes samples as fast as they are asked for
- ``device.py``: the Protocol of an amplifier, paced by its own clock
- ``schedule.py``: cues, one after the other, for a calibration recording
- ``simulated_forearm/``: EMG of a simulated wearer, from motor units, by schedule or by live intention
- ``intention.py``: the Protocol of whoever can be told, while it runs, what to do
- ``live_intention.py``: lets a stream of events steer the simulated wearer
- ``recording.py``: plays a recorded session
"""
