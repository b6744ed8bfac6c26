"""Which decoder decided on which of a session's EMG streams: of several sleeves each had its own."""

from pathlib import Path

from decoding.decoder_file import load_decoder
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import RECORDING_FILE
from emg_acquisition.recording.xdf_reader import read_headers
from emg_acquisition.stream_info import EMG_TYPE, GESTURE_TYPE
from emg_acquisition.streams.stream_xml import gesture_info_from_xml

ONLY_DECODER = "decoder.onnx"


def decoders_of(folder: Path, emg_source_id: str | None) -> list[tuple[str | None, Path]]:
    """Pair each EMG stream that was decoded live, or the chosen one, with its decoder file in the session folder.

    Raises
    ------
    InputError
        If the recording cannot be read, or the decoder of a stream is not among the session's files.
    """
    pairs = []
    for emg, decoder in find_decoders(folder, emg_source_id):
        if decoder is None:
            msg = (
                f"{folder} does not hold the decoder that decided on EMG {emg!r}; name it with --decoder,"
                " and the stream with --emg"
            )
            raise InputError(msg)
        pairs.append((emg, decoder))
    return pairs


def find_decoders(folder: Path, emg_source_id: str | None) -> list[tuple[str | None, Path | None]]:
    """Do as `decoders_of`, with None for a decoder that is not among the session's files.

    A session of one EMG stream, or one that nobody decoded, has ``decoder.onnx`` if any; its stream is left to be
    chosen. Otherwise a Gesture stream says whose EMG it decodes and the hash of its decoder: of several sleeves, and of
    an only one that the gesture map gives a name.

    Raises
    ------
    InputError
        If the recording cannot be read, or what is there is no decoder.
    """
    path = folder / RECORDING_FILE
    headers = read_headers(path) if path.is_file() else ()
    decided = [gesture_info_from_xml(header.xml) for header in headers if header.type == GESTURE_TYPE]
    emg = [header.source_id for header in headers if header.type == EMG_TYPE]
    chosen = emg if emg_source_id is None else [one for one in emg if one == emg_source_id]
    decided = [info for info in decided if info.emg_source_id in chosen]
    only = folder / ONLY_DECODER
    if not decided or (len(emg) == 1 and only.exists()):
        return [(emg_source_id, only)]
    by_hash = {load_decoder(file).sha256: file for file in sorted(folder.glob("decoder*.onnx"))}
    # In the order of the sleeves; decoders come into a recording as they happen to be found.
    decided.sort(key=lambda info: emg.index(info.emg_source_id))
    return [(info.emg_source_id, by_hash.get(info.decoder_sha256)) for info in decided]
