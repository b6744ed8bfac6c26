"""The XML of a stream's declaration, wherever it comes from: parsed without what makes XML dangerous."""

import re
import xml.etree.ElementTree as ET

from emg_acquisition.errors import InputError

# LSL's own limit lies far below; 1024 channels with their places take some 300 kB.
MAX_CHARACTERS = 16 * 1024**2
MAX_DEPTH = 32
MAX_CHANNELS = 65_536
_TAG = re.compile(r"<(/?)[^<>!?/][^<>]*?(/?)>")


def parse_description(xml: str) -> ET.Element:
    """Return the root element of an LSL ``<info>`` document.

    Raises
    ------
    InputError
        If it is no XML, declares a document type (whose entities can fetch files or grow without end), is larger
        than `MAX_CHARACTERS` or nested deeper than `MAX_DEPTH`.
    """
    if len(xml) > MAX_CHARACTERS:
        raise InputError(f"stream description of {len(xml)} characters: {MAX_CHARACTERS} at most are read")
    if "<!DOCTYPE" in xml:
        raise InputError("stream description declares a document type; LSL's have none, and it is not read")
    depth = 0
    for tag in _TAG.finditer(xml):
        depth += -1 if tag[1] else not tag[2]
        if depth > MAX_DEPTH:
            raise InputError(f"stream description is nested more than {MAX_DEPTH} deep; it is no stream's")
    try:
        return ET.fromstring(xml)  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, ValueError) as error:
        msg = f"stream description is no XML: {error}"
        raise InputError(msg) from error
