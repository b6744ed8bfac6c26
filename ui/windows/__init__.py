"""Windows of PySide6. They show view models that know no Qt, and do nothing that could hold the control path up.

- ``theme.py``: colours that colour-blind people tell apart, light and dark; sizes to be read from two metres
- ``gesture_picture.py``: the ten gestures as one drawn hand, and a plain one for others
- ``widgets.py``: badge, bars, history, electrode grid, joints
- ``calibration.py``: a calibration; ``calibration_pages.py``: its screens; ``calibration_widgets.py``,
  ``trace_plot.py``, ``control_bar.py``, ``cue_sounds.py``: what they are made of
- ``teleop.py``, ``participant.py``: a live session for the operator, and the large view for the participant;
  ``sleeve_panels.py``: what is shown of each sleeve; ``live_traces.py``: its EMG on demand
- ``replay.py``: a recorded session; ``replay_plots.py``: its plots
- ``running.py``: a window until it is closed or the command is stopped
"""
