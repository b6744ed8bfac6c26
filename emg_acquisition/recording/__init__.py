"""Recordings: XDF files within session folders, and importers of public data sets.

- ``xdf_writer.py``: appends streams to an XDF file
- ``xdf_reader.py``: reads an XDF file, also one whose end is missing
- ``session.py``: a session folder as an object; its trials
- ``session_writer.py``: writes a session folder
- ``importers/``: recordings that others made as session folders
- ``bids/``: session folders as an EMG-BIDS data set
"""
