"""Importers: recordings that others made as session folders; docs/datasets.md describes each format.

- ``source_files.py``: what they read: files of a format, .mat variables, units, electrode grids
- ``flexemg.py`` ``flexwear.py`` ``capgmyo.py`` ``ninapro.py`` ``grabmyo.py`` ``threedc.py`` ``otb_mat.py``
  ``otb_plus.py`` ``intan_rhd.py`` ``xdf.py``: one format each
- ``sessions.py``: what they write: sessions of continuous EMG with cues, all together or not at all
"""
