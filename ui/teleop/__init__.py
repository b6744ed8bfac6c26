"""A teleoperation session without its window: what runs, what is seen, what a person can do. No Qt here.

In the order in which a session goes:

- ``settings.py``: what a session is made of; ``session.yaml`` and the command line
- ``sleeves.py``: each sleeve's decoder, what its gestures mean, and where its EMG comes from
- ``session.py``: started in order, ended with the robot stopped first; ``session_view.py``: all that there is to show
- ``supervisor.py``: a part that dies is told, the robot stopped, the part restarted where that is safe
- ``observer.py``: EMG and decisions seen beside the control path; ``recent_signal.py``: the newest seconds of EMG
- ``preflight.py``: what must be right before arming, each item with what to do
- ``trial_sheet.py``: tasks, markers and ``trials.csv``
- ``scripted_wearer.py``: a simulated wearer who does a task by itself
- ``feedback.py``: mode changes and stops as beeps or words
- ``headless.py``: a session on a terminal
"""
