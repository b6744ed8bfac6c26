"""The live chain in simulated time with a virtual user at both its ends.

Files, in the order in which a signal goes round the loop:

- ``muscle.py``: EMG that follows an intention, from a simulated wearer.
- ``trial_bank.py``: the same from recorded trials.
- ``loop.py``: muscle, decoder, bridge and robot, 10 ms after 10 ms.
- ``goal.py``: what is to be reached.
- ``user_settings.py`` ``virtual_user.py``: who sees the robot and makes the gestures.
- ``attempt.py``: one attempt at a goal and what it took.
- ``fitts.py`` ``achievement.py``: targets on one DoF, and on several.
- ``hand.py`` ``household_world.py`` ``household_tasks.py`` ``household.py``: everyday tasks with things.
- ``physics_tasks.py``: the same in MuJoCo's small home.
- ``figures.py`` ``campaign.py`` ``results.py``: what many attempts show, and where it is written.
"""
