"""EMG-BIDS export: sessions as a data set that others' tools read and the BIDS validator accepts.

- ``bdf.py``: samples of one run as a BDF+ file
- ``runs.py``: a session cut into runs without a gap, each with its events
- ``sidecars.py``: what each JSON and TSV file that goes with a run holds
- ``dataset.py``: the data set around the sessions, made or extended, whole or not at all

Specification: https://bids-specification.readthedocs.io, version 1.11.1, modality-specific files, EMG.
"""
