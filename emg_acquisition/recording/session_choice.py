"""Which of a recording's streams belong together: one EMG stream, its amplifier's other channels, its decisions."""

from pathlib import Path

from emg_acquisition.errors import InputError
from emg_acquisition.recording.xdf_format import XdfHeader
from emg_acquisition.stream_info import AUX_TYPE, EMG_TYPE, EVENTS_TYPE, GESTURE_TYPE, aux_source_id
from emg_acquisition.streams.stream_xml import gesture_info_from_xml


def choose_streams(
    headers: tuple[XdfHeader, ...], path: Path, emg_source_id: str | None
) -> tuple[XdfHeader, ...]:
    """Choose an EMG stream, at most one Aux and one Gesture stream that belong to it, and the events.

    Of the events, those of another sleeve's decoder are left out: they say since when that one decodes.

    Parameters
    ----------
    headers : tuple of XdfHeader
        What the streams of the recording declare.
    path : Path
        The recording, for errors.
    emg_source_id : str or None
        Which EMG stream; None takes the only one.

    Raises
    ------
    InputError
        If there is no such EMG stream or more than one, or more than one Aux or Gesture stream belongs to it.
    """
    emg = _only_emg([header for header in headers if header.type == EMG_TYPE], path, emg_source_id)
    alone = sum(header.type == EMG_TYPE for header in headers) == 1
    aux = [h for h in headers if h.type == AUX_TYPE and h.source_id == aux_source_id(emg.source_id)]
    gestures = [
        header
        for header in headers
        if header.type == GESTURE_TYPE
        and (alone or gesture_info_from_xml(header.xml).emg_source_id == emg.source_id)
    ]
    for kind, found in ((AUX_TYPE, aux), (GESTURE_TYPE, gestures)):
        if len(found) > 1:
            msg = f"{path} holds {len(found)} {kind} streams for EMG {emg.source_id!r}; one at most is supported"
            raise InputError(msg)
    others = {f"{h.source_id}-events" for h in headers if h.type == GESTURE_TYPE and h not in gestures}
    events = [h for h in headers if h.type == EVENTS_TYPE and h.source_id not in others]
    return (emg, *aux, *gestures, *events)


def _only_emg(there: list[XdfHeader], path: Path, source_id: str | None) -> XdfHeader:
    if not there:
        msg = f"{path} holds no EMG stream; record the session anew"
        raise InputError(msg)
    found = [header for header in there if source_id in {None, header.source_id}]
    if len(found) == 1:
        return found[0]
    names = ", ".join(header.source_id or repr(header.name) for header in there)
    if source_id is None:
        msg = f"{path} holds {len(there)} EMG streams: {names}; choose one by its source_id"
    else:
        msg = f"{path} holds {len(found) or 'no'} EMG streams with source_id {source_id!r}; there is {names}"
    raise InputError(msg)
