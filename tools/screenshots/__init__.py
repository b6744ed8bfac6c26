"""Every state of the windows as a picture, to document and to look at.

- ``__main__.py``: ``python -m tools.screenshots FOLDER [--only WINDOW]``
- ``calibration.py``: a calibration with a simulated wearer, screen by screen
- ``teleop_states.py``: a live session in each of its states, with nothing running; ``teleop.py``: pictures of them
- ``replay.py``: a short recorded session
- ``picture.py``: looks and sizes, and how a picture is saved
"""
