"""Faults put into the running chain: is each noticed, how soon, how far does the robot go, does it stay where it is.

Production code knows nothing of it: relays, processes of their own, stand between source, decoder, bridge and robot.

Files, in the order in which data flows through them:

- ``relay_link.py``: how a relay is told what to do, and when it began.
- ``lsl_relay.py``, ``ros_relay.py``: the relays.
- ``observer.py``: hears every command and every state of the robot, past the relays.
- ``outsider.py``: somebody else in the same ROS 2 domain.
- ``rig.py``: the live chain with all of these around it.
- ``kinds.py``: what can go wrong, and what the bridge must say of it.
- ``judge.py``, ``bounds.py``: what was recorded -> when, how far; and how far is allowed.
- ``outcome.py``: what came of one fault, and whether it kept the bounds.
- ``injection.py``: one fault from motion to motion; ``campaign.py``: many, drawn from a seed, side by side.
- ``summary.py``: figures and tables.
"""
