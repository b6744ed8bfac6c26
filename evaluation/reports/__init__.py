"""Figures to something that a person reads: a page in words and pictures, and tables for other programs.

- ``evaluation.py``: what one evaluation found, by decoder.
- ``verdict.py``: good enough to drive with today? The rules, where they are from, and what limits it.
- ``pictures.py``: figures by matplotlib, as pictures that stand in the page itself.
- ``page.py``: one HTML file without scripts or links.
- ``tables.py``: the same figures as CSV and JSON.
- ``evaluation_report.py``: the report of an evaluation.
- ``study_report.py``: the report of a study over many participants.
"""
