"""What nobody has at their desk: a wearer, amplifiers, a Stretch, a user, faults, a study.

Files and folders, in the order in which they build on each other:

- ``forearm/``: EMG of a simulated wearer, from motor units, by a schedule of cues or by live intention
- ``amplifiers/``: emulators that speak amplifiers' own protocols over TCP
- ``stretch/``: a simulated Stretch behind stretch_driver's interface, kinematic or in MuJoCo
- ``recorded_wearer.py``: a wearer's recording as a session folder, and a decoder trained on it, faster than real time
- ``study.py``: the reference study's protocol with simulated wearers
- ``wearer_process.py``: a wearer in a process of its own, steered from this one
- ``automatic_calibration.py``: a simulated person who follows a calibration
- ``bridge_loop.py``: the bridge's core and a simulated Stretch in one process and in simulated time
- ``operator/``: a scripted operator who drives a robot by gestures, live or in simulated time
- ``closed_loop/``: the whole chain in simulated time, with a virtual user who sees the robot and drives it
- ``fault_campaign/``: faults put into the live chain, and how the robot is stopped
- ``demo.py``: the main job end to end; ``demo_report.py`` (``demo_report.html.j2``): what it shows afterwards
"""
