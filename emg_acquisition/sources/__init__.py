"""Where samples come from, one file a source.

- ``source.py``: the Protocol of a source that makes samples as fast as they are asked for
- ``device.py``: the Protocol of an amplifier, paced by its own clock
- ``tcp_link.py``: one TCP connection to an amplifier, in whole frames
- ``schedule.py``: cues, one after the other, for a calibration recording
- ``wearer_anatomy.py``: where a simulated wearer's muscles lie and which of them a gesture uses
- ``wearer_signal.py``: the muscles' activity over time, noise, powerline and offset
- ``simulated_wearer.py``: EMG of a simulated wearer, by schedule or by live intention
- ``live_intention.py``: lets a stream of events steer the simulated wearer
- ``recording.py``: plays a recorded session
"""
