"""Recordings: LSL streams and other people's files as session folders, which hold an XDF file and a YAML file.

- ``recorded_stream.py``: one LSL stream while it is recorded, lost and found again
- ``recorder.py``: all of them into a session folder
- ``xdf_format.py`` ``xdf_writer.py``: what an XDF file is made of; appends streams to one
- ``session_writer.py``: writes a session folder
- ``damage.py``: turns what damaged files raise into one line
- ``xdf_reader.py``: reads an XDF file, also one whose end is missing
- ``session.py``: reads a session folder, into memory or from disk, and its trials
- ``importers/``: recordings of other programs as session folders
- ``bids/``: session folders as an EMG-BIDS data set
"""
