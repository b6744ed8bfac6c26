"""Sessions to evidence, hop by hop, and evidence to figures; no window is ever judged by a decoder trained on it.

- ``evidence.py``: what a decoder made of a session, hop by hop and trial by trial, and what was asked for.
- ``leakage.py``: splits that would test a decoder on its own training are refused.
- ``by_decoder.py``: an existing decoder on a session.
- ``cross_validation.py``: a way of making decoders on repetitions, sessions or participants that were left out.
- ``many_sessions.py``: the same work on one core, on all, or on a Dask cluster; one bad session stops none.
- ``figures.py``: evidence of one or many sessions to figures with intervals.
- ``comparison.py``: decoders against each other, on the same trials.
"""
