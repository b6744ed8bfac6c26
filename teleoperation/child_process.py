"""The first thing that a child process runs: a module, ended when the parent ends (``python -m``, by `ProcessGroup`).

The kernel's own signal at a parent's death (``prctl(2)``, PR_SET_PDEATHSIG) comes when the *thread* ends that started
the child; the end of a pipe comes when the process does.
"""

import os
import runpy
import signal
import sys
import threading


def end_with_parent(fd: int) -> None:
    """Terminate this process once the other end of a pipe has closed: its only holder, the parent, is gone.

    Parameters
    ----------
    fd : int
        Reading end of a pipe into which nothing is written.
    """

    def wait() -> None:
        os.read(fd, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def main() -> None:
    """Run ``python -m teleoperation.child_process FD MODULE ARGUMENTS``."""
    fd, module, *arguments = sys.argv[1:]
    end_with_parent(int(fd))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
