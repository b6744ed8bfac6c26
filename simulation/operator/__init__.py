"""A scripted operator: knows the gesture map, sees the robot, and makes gestures, never commands.

- ``gesture_operator.py``: "that DoF, to there" as gestures
- ``every_dof.py``: gestures that move every DoF of a map both ways, in coarse and in fine
- ``stepped_bridge.py``: performs gestures in simulated time, with perfect decisions
- ``live_script.py``: performs them on an armed bridge, in real time
- ``cup_task.py``: the cup grasped, lifted, driven 1 m and set down; ``cup_live.py``: the same over LSL and ROS 2
- ``scripted_wearer.py``: does a task in a teleoperation session, by the muscles of its simulated wearer
"""
