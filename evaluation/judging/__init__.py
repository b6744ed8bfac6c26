"""Sessions to evidence, hop by hop, and evidence to figures; no window is ever judged by what it has taught.

- ``onsets.py``: where each trial's muscle begins.
- ``evidence.py``: what a decoder said of a session, beside what was asked.
- ``leakage.py``: what would test a decoder on its own training, and is refused.
- ``by_decoder.py``: an existing decoder on a session.
- ``recipe.py``: how a decoder is made, without writing a file: by candidates, as ``hdemg train`` does.
- ``cross_validation.py``: a recipe judged on repetitions, sessions or participants that it has not seen.
- ``figures.py``: evidence of one or many sessions to figures with intervals.
- ``comparison.py``: decoders against each other.
- ``many_sessions.py``: the same work on one core, on all, or on a Dask cluster; one bad session stops none.
"""
