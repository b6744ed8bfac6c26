"""Importers: recordings that others made as session folders; docs/datasets.md describes each format.

What they share:

- ``staging.py``: session folders that appear all together or, after an error, not at all
- ``trials.py``: pieces of EMG and their cues into one session, joined without a step
- ``units.py``: whatever a file is in, to microvolts
- ``damage.py``: what reading a damaged file may raise, told in one line
- ``mat_file.py``: reading a .mat file
- ``single_files.py``: the files of a format that has one recording a file, and their codes

One format a file: ``flexemg.py`` ``flexwear.py`` ``capgmyo.py`` ``ninapro.py`` ``grabmyo.py`` ``threedc.py``
``otb_mat.py`` ``otb_plus.py`` ``intan_rhd.py`` ``xdf.py``
"""
