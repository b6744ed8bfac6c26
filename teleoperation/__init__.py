"""A live session as a whole: its processes, what watches them, and what the people at it see and can do. No Qt here.

In the order in which a session goes:

- ``settings.py``: what a session is made of; ``session.yaml`` and the command line
- ``sleeves.py``: each sleeve's decoder, what its gestures mean, and where its EMG comes from
- ``child_process.py`` ``processes.py``: child processes that are started in order and never left behind
- ``chain.py``: the live chain, a process a stage, kept to itself
- ``supervisor.py``: a part that dies is reported, the robot stopped, the part restarted where that is safe
- ``observer.py``: EMG and decisions seen next to the control path; ``recent_signal.py``: the newest seconds of EMG
- ``preflight.py``: what must be right before arming, each item with what to do
- ``trial_sheet.py``: tasks, markers and ``trials.csv``
- ``session.py``: started in order, ended with the robot stopped first; ``session_view.py``: all that there is to show
- ``meaning.py``: what a gesture does now, in words; ``camera_feed.py``: pictures from the robot
- ``feedback.py`` ``tones.py``: mode changes and stops as beeps or words
- ``robot_log.py``: where the robot was, when, and what moved
- ``robot_replay.py``: a recorded session in real time through the whole chain, judged trial by trial
"""
