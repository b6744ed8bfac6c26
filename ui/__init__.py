"""What people touch: the command line and the windows.

Files, in the order in which a command runs:

- ``cli.py``: the ``hdemg`` command; one error style; signals. ``ros_entry.py``: commands as nodes, for ``ros2 run`` and
  launch files.
- ``commands/``: one file a command; thin, each calls the room that does the work.
- ``console.py``: progress bars and the last JSON line; ``log_file.py``: ``log.jsonl``; ``build_details.py``: what
  ``--version`` says.
- ``view_models/``: what windows show, worked out without Qt; ``windows/``: the windows; ``screen.py``: whether one can
  be shown here.
- ``keyboard.py``: keys of a terminal, and how they steer a simulated wearer; ``headless.py``: a live session on a
  terminal.
- ``doctor.py``: what this machine has and lacks; ``system_libraries.py``: the libraries behind Qt and OpenGL.
"""

import os

# Before numpy is loaded. A decoder's matrix products are microseconds of work: more threads would cost more than they
# save, keep cores busy with waiting, and let the last bit of a decision depend on how many cores a machine has.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What runs an ``hdemg`` command line as ``python -m`` does: rooms below start processes, and know no command line.
CLI_MODULE = "ui.cli"
