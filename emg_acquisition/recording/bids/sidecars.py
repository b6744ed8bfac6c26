"""What each JSON and TSV file that goes with a run holds, by the BIDS specification (EMG) 1.11.1."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.recording.bids.bdf import MAX_LABEL, RecordLayout
from emg_acquisition.recording.bids.runs import Run
from emg_acquisition.recording.session import Session

BIDS_VERSION = "1.11.1"
NOT_KNOWN = "n/a"
NOT_RECORDED = "not recorded"
GROUP = "grid"


@dataclass(frozen=True)
class ExportSettings:
    """What a session does not hold.

    Parameters
    ----------
    task : str
        Label of letters and digits.
    powerline_hz : float, optional
        Frequency of the mains where it was recorded.
    name : str, optional
        Name of a new data set; that of its folder if not given.
    """

    task: str = "gestures"
    powerline_hz: float | None = None
    name: str | None = None


def to_json(values: Mapping[str, object]) -> str:
    """Return a JSON file's text."""
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def to_tsv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a TSV file's text; None and empty texts become ``n/a``."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
    writer.writerow(columns)
    writer.writerows([[NOT_KNOWN if value in {None, ""} else value for value in row] for row in rows])
    return out.getvalue()


def software_version() -> str:
    """Return this program's name and version."""
    return f"hdemg-teleop {metadata.version('hdemg-teleop')}"


def channel_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Return names that a BDF header can hold: the labels, or ``E1``, ``E2``, ... where it cannot hold one of them."""
    fit = all(label.isascii() and label.isprintable() and label.strip() == label for label in labels)
    fit = fit and all(0 < len(label) <= MAX_LABEL for label in labels) and len(set(labels)) == len(labels)
    return tuple(labels) if fit else tuple(f"E{k}" for k in range(1, len(labels) + 1))


def emg_json(session: Session, run: Run, layout: RecordLayout, settings: ExportSettings) -> dict[str, object]:
    """Return ``*_emg.json``."""
    info, protocol = session.emg.info, session.info.protocol
    declared = info.filters not in {"", "none"}
    values: dict[str, object] = {
        "TaskName": settings.task,
        "TaskDescription": protocol.name if protocol is not None else NOT_RECORDED,
        "Instructions": (protocol.notes if protocol is not None else "") or NOT_RECORDED,
        "Manufacturer": info.manufacturer or NOT_RECORDED,
        "ManufacturersModelName": info.model or NOT_RECORDED,
        "DeviceSerialNumber": info.serial_number or NOT_RECORDED,
        "SoftwareVersions": software_version(),
        "EMGPlacementScheme": "Other",
        "EMGPlacementSchemeDescription": (
            f"The electrodes lie on the grid {info.grid.name!r}, whose own coordinates electrodes.tsv holds. Where "
            "on the limb the grid lay was not recorded."
        ),
        "EMGReference": info.reference or NOT_RECORDED,
        "SamplingFrequency": layout.fs_hz,
        "PowerLineFrequency": NOT_KNOWN if settings.powerline_hz is None else settings.powerline_hz,
        "RecordingType": "discontinuous" if run.joined else "continuous",
        "RecordingDuration": len(run.emg_uv) / layout.fs_hz,
        "SoftwareFilters": {"Declared": {"Description": info.filters}} if declared else NOT_KNOWN,
        "HardwareFilters": NOT_KNOWN,
        "EMGChannelCount": info.n_channels,
        "InterelectrodeDistance": info.grid.pitch_mm,
    }
    return values


def channels_tsv(session: Session, run: Run, layout: RecordLayout) -> str:
    """Return ``*_channels.tsv``."""
    info = session.emg.info
    rows = [
        (
            name,
            "EMG",
            "uV",
            label if label != name else None,
            layout.fs_hz,
            name,
            info.reference or NOT_RECORDED,
            GROUP,
            None,
            info.grid.pitch_mm,
            "bad" if k in run.bad_channels else "good",
            "no finite sample" if k in run.bad_channels else None,
        )
        for k, (name, label) in enumerate(
            zip(channel_names(info.channel_labels), info.channel_labels, strict=True)
        )
    ]
    columns = (
        "name",
        "type",
        "units",
        "description",
        "sampling_frequency",
        "signal_electrode",
        "reference",
        "group",
        "target_muscle",
        "interelectrode_distance",
        "status",
        "status_description",
    )
    return to_tsv(columns, rows)


def electrodes_tsv(labels: Sequence[str], grid: ElectrodeGrid) -> str:
    """Return ``*_electrodes.tsv``: x along the columns, y along the rows, in mm."""
    rows = [
        (name, column * grid.pitch_mm, row * grid.pitch_mm, 0.0, GROUP, row, column)
        for name, (row, column) in zip(channel_names(labels), grid.positions.tolist(), strict=True)
    ]
    return to_tsv(("name", "x", "y", "z", "group", "row", "column"), rows)


ELECTRODES_JSON: Mapping[str, object] = {
    "row": {"Description": "Row of the grid, from 0"},
    "column": {"Description": "Column of the grid, from 0"},
}


def coordsystem_json(grid: ElectrodeGrid) -> dict[str, object]:
    """Return ``*_coordsystem.json``."""
    around = {"none": "It does not close around the limb.", "rows": "y", "columns": "x"}[grid.wraps]
    if grid.wraps != "none":
        around = f"It closes around the limb along {around}: the last electrode neighbours the first."
    return {
        "EMGCoordinateSystem": "Other",
        "EMGCoordinateUnits": "mm",
        "EMGCoordinateSystemDescription": (
            f"The grid laid flat. Its origin is the place in row 0 and column 0, x runs along the columns, y along "
            f"the rows, {grid.pitch_mm:g} mm from neighbour to neighbour. {around} It is not tied to the body."
        ),
    }


def events_tsv(run: Run) -> str:
    """Return ``*_events.tsv``."""
    columns = ("onset", "duration", "trial_type", "kind", "repetition", "trial", "details")
    rows = [
        (repr(e.onset_s), repr(e.duration_s), e.name, e.kind, e.repetition, e.trial, e.details)
        for e in run.events
    ]
    return to_tsv(columns, rows)


EVENTS_JSON: Mapping[str, object] = {
    "trial_type": {"Description": "Gesture that was asked for; of an event that is no cue, its kind"},
    # No "Levels": they would be all that is allowed, and a session may hold events of any kind.
    "kind": {
        "Description": "What happened. cue: a gesture was asked for, until the next cue or the run's end. "
        "cue_continued: the cue before the gap in front of this run goes on. join: parts that were recorded apart "
        "meet, and the later one was shifted, per channel, to begin where the earlier one ended. missing_samples: "
        "samples that are missing on the channels named, for which the last good one stands. Any other: an event "
        "of that name"
    },
    "repetition": {"Description": "Which repetition of its gestures the cue belongs to"},
    "trial": {"Description": "Number of the cue within the session"},
    "details": {"Description": "Whatever else belongs to the event, as JSON"},
}

SCANS_JSON: Mapping[str, object] = {
    "start_s": {
        "Description": "When the run's first sample was taken, from the first sample of the session's first EMG "
        "stream: runs of a session are its stretches without a gap, recordings its EMG streams",
        "Units": "s",
    },
    "padding_samples": {
        "Description": "Samples at the run's end that were not recorded: they repeat the last one and fill the "
        "last data record of the BDF file"
    },
}


def readme(name: str) -> str:
    """Return the text of ``README.md``."""
    return f"""# {name}

Surface EMG of hand and wrist gestures, exported by hdemg-teleop as EMG-BIDS.

A run is a stretch of recording without a gap. Samples are those recorded, in microvolts, to within half a step of a
24-bit file whose range is the channel's own: a 2^24th of what the channel spans. `events.tsv` holds every event of
the session; its column `kind` says what it is. Dates are left out, and the electrodes' coordinates are those of the
grid, not of the body.
"""
