"""The system libraries that Qt and OpenGL load, and the Debian/Ubuntu packages that bring them."""

import ctypes
import sys

# Shared object -> package. Qt's wheels bring Qt itself, not these.
PACKAGE_OF_LIBRARY = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}


def missing_packages() -> list[str]:
    """Name the packages whose libraries cannot be loaded here, sorted; empty on a machine that can show windows."""
    return sorted({package for library, package in PACKAGE_OF_LIBRARY.items() if not _loads(library)})


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def main() -> int:
    """Say which packages are missing; 1 where any is."""
    missing = missing_packages()
    if missing:
        sys.stderr.write(
            "setup: windows (Qt, OpenGL) need system libraries that are not here; everything else works "
            f"without them. To add them: sudo apt-get install {' '.join(missing)}\n"
        )
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
