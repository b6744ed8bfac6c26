"""Where samples come from, one file a source.

- ``source.py``: the Protocol of a source that makes samples as fast as they are asked for
- ``device.py``: the Protocol of an amplifier, paced by its own clock
- ``tcp_link.py``: one TCP connection to an amplifier, in whole frames
- ``otb_codec.py`` ``otb_ramp.py`` ``otb_frames.py`` ``otb_session.py``: what OT Bioelettronica's amplifiers share
- ``otb_sessantaquattro.py`` ``otb_quattrocento.py``: their bench and wearable amplifiers
- ``otb_probes.py`` ``otb_muovi.py`` ``otb_syncstation.py``: their wireless probes, alone and at a station
- ``intan_codec.py`` ``intan_commands.py`` ``intan_rhx.py``: Intan RHX, over its two ports
- ``brainflow_board.py``: OpenBCI and other boards, where the extra ``brainflow`` is installed
- ``schedule.py``: cues, one after the other, for a calibration recording
- ``simulated_forearm/``: EMG of a simulated wearer, from motor units, by schedule or by live intention
- ``intention.py``: the Protocol of whoever can be told, while it runs, what to do
- ``live_intention.py``: lets a stream of events steer the simulated wearer
- ``recording.py``: plays a recorded session
"""
