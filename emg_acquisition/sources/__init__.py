"""Where EMG comes from: one driver an amplifier family, behind `source.DeviceSource`, and the playback of a recording.

- ``tcp_link.py``: one TCP connection to an amplifier, in whole frames
- ``otb_frames.py``: bytes of OT Bioelettronica's amplifiers to blocks of microvolts
- ``otb_device.py``: the driver that all of them share
- ``otb_sessantaquattro.py`` ``otb_quattrocento.py`` ``otb_probes.py``: settings, commands and samples of each
- ``intan_codec.py`` ``intan_commands.py`` ``intan_rhx.py``: Intan RHX, over its two ports
- ``brainflow_board.py``: OpenBCI and other boards, where the extra ``brainflow`` is installed
- ``amplifier_names.py`` ``amplifiers.py``: the names to choose from, without loading a driver; the driver by its name
- ``recording.py``: plays a recorded session
"""
