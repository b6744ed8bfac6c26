"""Decision -> robot: a Gesture stream in, limited and supervised commands for a Stretch out.

Files in the order that data flows through them:

``errors``              what a person can act on
``robot_model``         the 8 DoF: units, limits, coarse and fine speeds, from ``robot.yaml``
``stretch_interface``   stretch_driver's names and orders: joint_states -> 8 values, 8 targets -> joint_pose_cmd
``gesture_map_file``    what may stand in a map's YAML file, and the checks of its parts
``gesture_map``         ``maps/*.yaml``: gesture x mode -> DoF and direction, checked for reachability
``safety_inputs``       freshness limits, decisions, what the driver says of itself
``safety``              disarmed / armed / moving / stopped / fault; freshness of every input
``control``             decisions over time -> mode, coarse or fine, desired velocity of every DoF
``motion``              desired velocity -> limited wheel velocity and joint targets
``bridge_core``         the three above in one step a tick, without ROS
``journal``             what the core was told, in order, from which its commands are computed again
``journal_stream``      journal and commands onto LSL, for recorders
``ros_base``            of ROS 2 what stretch_driver needs, too
``ros_imports``         everything of ROS 2 in one place, with one clear error where there is none
``ros_context``         one ROS 2 node in a context and a thread of its own
``decision_reader``     the one Gesture stream that the bridge is bound to
``incident_log``        what happened, on disk, with and without a recording
``robot_setup``         what the bridge asks of stretch_driver before it arms
``bridge_figures``      latencies and counts for ``diagnostics``
``ros_node``            the node ``hdemg_bridge``: topics, services, timer; ``run_bridge``
``guard_link``          the bridge's end of the guard
``guard``               the companion process that stops the robot if the bridge dies or hangs
``watchdog``            when the robot must be stopped because an armed bridge has fallen silent
``watchdog_node``       the node ``hdemg_watchdog`` for the robot's own computer
``operator_orders``     which of an operator's acts counts: a stop beats every earlier arm
``operator_link``       the other end: arm, stop, heartbeat and what the robot does
``ros_domain``          a ROS domain that nobody on this machine uses
``ros_loopback``        whether ROS 2 works here, for ``hdemg doctor``

``robot_model`` to ``bridge_core`` are pure and run without ROS.
"""
