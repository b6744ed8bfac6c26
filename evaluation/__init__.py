"""Sessions to figures: replay, metrics, the live chain as a whole, the demo.

Files, in the order in which data flows through them:

- ``simulated_session.py``: a simulated wearer's recording as a session folder.
- ``simulated_decoder.py``: a decoder of a simulated wearer in one call.
- ``simulated_study.py``: the reference study's protocol with simulated wearers.
- ``simple_classifier.py``: one plain classifier, to say how hard a recording is, real or simulated.
- ``wearer_difficulty.py``: how hard simulated wearers are: within a session, an hour later, put on anew, impaired.
- ``replay.py``: a recorded session through a decoder, on the code path of a live one.
- ``session_decoders.py``: which decoder decided on which of its EMG streams.
- ``bridge_replay.py``: a recorded bridge's commands, computed again and compared.
- ``session_timeline.py``: a session over time to look at: cues, decisions, where they differ, events, the robot.
- ``session_latency.py``: how long it took in a session from EMG sample to decision, to command, to motion.
- ``metrics.py``: figures by trial.
- ``electrode_faults.py``: faults of electrodes to put into recorded EMG.
- ``processes.py``: child processes that are started in order and never left behind.
- ``chain.py``: the live chain, a process a stage, kept to itself.
- ``robot_log.py``: where the robot was, when, and what moved.
- ``robot_replay.py``: a recorded session in real time through the whole chain, judged trial by trial.
- ``motion_table.py``: how every DoF moves from each ready-made map, against the robot's table.
- ``driven_robot.py``: stretch_driver's logic over a simulated body, stepped by whoever keeps the clock.
- ``stepped_bridge.py``: the bridge's core over such a robot, in one process and in simulated time.
- ``online.py``: how a decoder behaves in time: delays, activations that nobody asked for.
- ``gesture_operator.py``: "that DoF, to there" as gestures, with an eye on the robot; live or in simulated time.
- ``every_dof.py``: gestures that move every DoF of a map both ways, in coarse and in fine.
- ``live_script.py``: such a script performed on an armed bridge, in real time.
- ``cup_task.py``: the cup grasped, lifted, driven 1 m and set down; ``cup_live.py``: the same over LSL and ROS 2.
- ``closed_loop/``: the whole chain in simulated time, with a virtual user who sees the robot and drives it.
- ``fault_campaign/``: faults put into the live chain, and how the robot is stopped.
- ``automatic_calibration.py``: a simulated person who follows a calibration.
- ``wearer_process.py``: a simulated wearer in a process of its own, for those who have no amplifier.
- ``figures_of_merit/``: what can be said of a decoder in numbers: pure functions with their sources.
- ``judging/``: sessions to evidence, hop by hop, and evidence to figures, without a leak; on one core or many.
- ``evaluate.py``: a question about decoders and sessions to an evaluation.
- ``evaluate_study.py``: every participant of a study, within a sitting, an hour later, put on anew.
- ``reports/``: figures to a page that answers in words, and to CSV and JSON.
- ``demo.py``: the main job end to end; ``report.py``: what it shows afterwards.
"""
