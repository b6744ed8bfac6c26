"""From the electrode to chunks of microvolts: sources, LSL streams and recordings.

Files in the order that data flows through them:

- ``errors.py`` ``arrays.py`` ``grid.py`` ``events.py``: what every file below speaks
- ``settings_file.py``: YAML to checked settings, with errors that name the file and the key
- ``grid_library.py``: grids by name, or from a YAML file
- ``description_xml.py``: a declaration's XML, parsed without what makes XML dangerous
- ``stream_info.py`` ``stream_xml.py``: what a stream declares, as an object and as LSL has it
- ``decision.py``: one sample of a Gesture stream
- ``sources/``: where samples come from (simulated wearer, recording), behind one Protocol
- ``emulators/``: amplifiers that speak their own protocols over TCP, for those who have none
- ``publisher.py``: a source, paced by this machine's clock, onto LSL
- ``amplifier_names.py`` ``amplifiers.py``: an amplifier's driver by its name and what is said of it
- ``sample_clock.py``: when a sample was taken, from a device's count and the times of arrival
- ``device_publisher.py``: an amplifier, paced by its own clock, onto LSL
- ``lsl_config.py``: keeps LSL to this machine and to one session
- ``outlet.py``: EMG, Gesture and event streams onto LSL
- ``search.py``: how long to look for a stream, and how that can be ended
- ``lsl_stream.py``: one LSL stream of any kind, found and read
- ``inlet.py``: the streams above from LSL, each bound to one source
- ``chunks.py`` ``arrival_stamps.py``: a chunk of samples, split where time stamps show a gap
- ``quality_measures.py`` ``quality_rules.py`` ``quality.py``: samples to the state of each channel
- ``quality_picture.py`` ``quality_live.py``: the same for people, and from a stream
- ``recorder_start.py`` ``stream_finder.py`` ``recorded_stream.py`` ``recorder.py``: LSL streams into a session folder
- ``recording/``: XDF, session folders and importers of public data
"""
