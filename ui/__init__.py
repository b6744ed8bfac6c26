"""What people touch: the command line; windows follow in later releases.

Files, in the order in which a command runs:

- ``cli.py``: the ``hdemg`` command; one error style; signals.
- ``commands/``: one file a command; thin, each calls the room that does the work.
- ``console.py``: progress bars and the last JSON line.
- ``keyboard.py``: keys of a terminal that steer a simulated wearer.
- ``ros_entry.py``: the same commands as nodes, for ``ros2 run`` and launch files.
- ``log_file.py``: ``log.jsonl``; ``build_details.py``: what ``--version`` says.
- ``doctor.py``: what this machine has and lacks; ``system_libraries.py``: the libraries behind Qt and OpenGL.
"""

import os

# Before numpy is loaded. A decoder's matrix products are microseconds of work: more threads would cost more than they
# save, keep cores busy with waiting, and let the last bit of a decision depend on how many cores a machine has.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
