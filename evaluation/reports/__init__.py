"""Figures to something that a person reads: a page in words and pictures, and tables for other programs.

- ``verdict.py``: good enough to drive with today? The rules, their sources, and what limits the decoder.
- ``pictures.py``: figures by matplotlib, as pictures that stand in the page itself.
- ``page.py``: pages by Jinja2 templates, which extend ``base.html.j2`` and share ``macros.html.j2``.
- ``tables.py``: the figures as CSV and JSON.
- ``evaluation_report.py`` (``evaluation.html.j2``): the report of an evaluation.
- ``study_report.py`` (``study.html.j2``): the report of a study over many participants.
"""
