"""From the electrode to chunks of microvolts: sources, LSL streams, signal quality and recordings.

Files and packages in the order that data flows through them; each imports only those before it:

- ``errors.py`` ``arrays.py`` ``events.py``: what every file below speaks
- ``settings_file.py``: YAML to checked settings, with errors that name the file and the key
- ``grid.py`` ``grid_library.py``: the electrode grid; grids by name, or from a YAML file
- ``stream_info.py``: what a stream declares
- ``decision.py``: one sample of a Gesture stream
- ``source.py``: the Protocols of a source of EMG and of an amplifier
- ``cue_schedule.py``: what a wearer is asked to do, one gesture after the other
- ``streams/``: sources onto LSL, LSL streams to chunks, decisions and events
- ``quality/``: samples to the state of each electrode
- ``recording/``: LSL streams and other people's files into session folders, and session folders read
- ``sources/``: amplifiers, and the playback of a recording
"""
