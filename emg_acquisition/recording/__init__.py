"""Recordings: XDF files within session folders, and importers of public data sets.

- ``xdf_format.py``: what an XDF file is made of
- ``xdf_writer.py``: appends streams to an XDF file
- ``xdf_samples.py`` ``xdf_reader.py``: reads an XDF file, also one whose end is missing
- ``session_choice.py`` ``session.py``: a session folder as an object; its trials
- ``session_parts.py``: a session folder whose EMG stays on disk and is read in pieces
- ``session_file.py``: a session folder while it is written, from any streams
- ``session_writer.py``: writes a session folder from what did not come over LSL
- ``importers/``: recordings that others made as session folders
- ``bids/``: session folders as an EMG-BIDS data set
"""
