"""Recorded sessions to replay, figures and reports.

In the order in which data flows through them:

- ``session_decoders.py``: which decoder decided on which of a session's EMG streams.
- ``replay.py``: a recorded session through a decoder, on the code path of a live one.
- ``bridge_replay.py``: a recorded bridge's commands, computed again and compared.
- ``decisions.py``: decisions, recorded or replayed, and how the trials came out by them.
- ``online.py``: how a decoder behaves in time: delays from the muscle's onset, false activations.
- ``session_latency.py``: how long it took from EMG sample to decision, to command, to motion.
- ``session_timeline.py``: a session over time to look at: cues, decisions, where they differ, events, the robot.
- ``figures_of_merit/``: a decoder in numbers: pure functions with their sources.
- ``judging/``: sessions to evidence, hop by hop, and evidence to figures, without a leak; on one core or many.
- ``evaluate.py``: a question about decoders and sessions to an evaluation.
- ``evaluate_study.py``: every participant of a study, within a sitting, an hour later, re-donned.
- ``reports/``: figures to a page that answers in words, and to CSV and JSON.
"""
