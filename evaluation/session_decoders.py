"""Which decoder decided on which of a session's EMG streams: of several sleeves each had its own."""

from pathlib import Path

from decoding.decoder_file import load_decoder
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import RECORDING_FILE
from emg_acquisition.recording.xdf_reader import read_headers
from emg_acquisition.stream_info import EMG_TYPE, GESTURE_TYPE, GestureStreamInfo
from emg_acquisition.stream_xml import gesture_info_from_xml

ONLY_DECODER = "decoder.onnx"


def decoders_of(folder: Path, emg_source_id: str | None) -> list[tuple[str | None, Path]]:
    """Pair each EMG stream that was decoded live, or the chosen one, with its decoder file in the session folder.

    A session of one EMG stream, or one that nobody decoded, has ``decoder.onnx`` if any; its stream is left to be
    chosen (None). Where there are several, a Gesture stream says whose EMG it decodes and the hash of its decoder.

    Raises
    ------
    InputError
        If the recording cannot be read, or the decoder of a stream is not among the session's files.
    """
    path = folder / RECORDING_FILE
    headers = read_headers(path) if path.is_file() else ()
    decided = [gesture_info_from_xml(header.xml) for header in headers if header.type == GESTURE_TYPE]
    emg = [header.source_id for header in headers if header.type == EMG_TYPE]
    chosen = emg if emg_source_id is None else [emg_source_id]
    decided = [info for info in decided if info.emg_source_id in chosen]
    if len(emg) <= 1 or not decided:
        return [(emg_source_id, folder / ONLY_DECODER)]
    by_hash = {load_decoder(file).sha256: file for file in sorted(folder.glob("decoder*.onnx"))}
    # In the order of the sleeves; decoders come into a recording as they happen to be found.
    decided.sort(key=lambda info: emg.index(info.emg_source_id))
    return [(info.emg_source_id, _decoder_of(info, by_hash, folder)) for info in decided]


def _decoder_of(info: GestureStreamInfo, by_hash: dict[str, Path], folder: Path) -> Path:
    if info.decoder_sha256 not in by_hash:
        msg = (
            f"{folder} does not hold the decoder that decided on EMG {info.emg_source_id!r}; name it with --decoder,"
            " and the stream with --emg"
        )
        raise InputError(msg)
    return by_hash[info.decoder_sha256]
