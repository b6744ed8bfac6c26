"""LSL out and in; nothing else in the project uses pylsl.

- ``lsl_config.py``: keeps LSL to this machine and to one session
- ``stream_xml.py``: what a stream declares, as LSL and XDF have it
- ``outlet.py``: EMG, auxiliary channels, decisions, events, commands and journal onto LSL
- ``publisher.py``: a source, paced by this machine's clock
- ``sample_clock.py`` ``device_publisher.py``: an amplifier, paced by its own clock, and when its samples were taken
- ``lsl_stream.py``: finds and reads one LSL stream of any kind
- ``arrival_stamps.py`` ``chunks.py``: regular time stamps for packets stamped on arrival; chunks that end at gaps
- ``inlet.py``: EMG, decisions and events from LSL, each inlet bound to one source
- ``start_signal.py``: waits for the event at which a source begins to send
"""
