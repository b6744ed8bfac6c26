"""Sessions on disk of a synthetic wearer, for tests of evaluations."""

from pathlib import Path

from emg_acquisition.events import Event
from emg_acquisition.recording.session_writer import SessionWriter, session_folder
from emg_acquisition.stream_info import EmgStreamInfo
from tests.dec_support import GESTURES, stream_info
from tests.dec_support import cues as cues_of
from tests.dec_support import session as made_session


def write_session(
    root: Path,
    code: str = "S1",
    *,
    participant: str = "P01",
    repetitions: int = 3,
    seed: int = 0,
    info: EmgStreamInfo | None = None,
    gestures: tuple[str, ...] = GESTURES,
    renamed: dict[str, str] | None = None,
) -> Path:
    """Write a session of cued trials of three seconds; `renamed` falsifies its labels."""
    made = made_session(cues_of(repetitions, gestures), seed=seed, info=info)
    folder = session_folder(root, participant, code)
    writer = SessionWriter(folder, participant=participant, session=code, emg=info or stream_info())
    writer.write_emg(made.emg.emg_uv, made.emg.t_lsl_s)
    names = renamed or {}
    writer.write_events(
        [
            Event(
                one.t_lsl_s,
                one.kind,
                {**one.fields, "gesture": names.get(one.fields["gesture"], one.fields["gesture"])},
            )
            for one in made.events
        ]
    )
    writer.close()
    return folder
