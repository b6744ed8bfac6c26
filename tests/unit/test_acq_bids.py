"""EMG-BIDS export: files read back by hand, by mne-bids and by the official validator."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emg_acquisition.errors import InputError
from emg_acquisition.events import Event
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.recording.bids.bdf import record_layout
from emg_acquisition.recording.bids.dataset import export_bids
from emg_acquisition.recording.bids.sidecars import ExportSettings, channel_names
from emg_acquisition.recording.importers.flexemg import import_flexemg
from emg_acquisition.recording.session import ProtocolInfo, load_session
from emg_acquisition.recording.session_writer import SessionWriter
from emg_acquisition.stream_info import EmgStreamInfo
from ui.cli import main

GRID = ElectrodeGrid("ring", ((0, 1, -1), (2, 3, 4)), 8.5, "columns")
VALIDATOR = Path(sys.executable).with_name("bids-validator-deno")
SETTINGS = ExportSettings(powerline_hz=50.0)


def quiet(_name, _share):
    """Say nothing."""


def cue(t_s, gesture, trial):
    return Event(t_s, "cue", {"gesture": gesture, "repetition": 1, "trial": trial})


def record(
    root, emg_uv, *, participant="P01", session="S1", fs_hz=1000.0, t_s=None, events=(), labels="abcde"
):
    """Write a session and return its folder."""
    info = EmgStreamInfo(
        "Ring",
        "ring-1",
        fs_hz,
        GRID,
        tuple(labels),
        manufacturer="Maker",
        reference="wrist",
        filters="10-500 Hz",
    )
    folder = root / f"sub-{participant}" / f"ses-{session}"
    writer = SessionWriter(
        folder,
        participant=participant,
        session=session,
        emg=info,
        protocol=ProtocolInfo(name="test", gestures=("rest", "fist")),
    )
    writer.write_events(events)
    times = 500.0 + np.arange(len(emg_uv)) / fs_hz if t_s is None else t_s
    writer.write_emg(np.asarray(emg_uv, dtype=np.float32), times)
    writer.close()
    return folder


def noise(n, seed=0):
    """Five channels of unlike offset and span."""
    emg_uv = np.random.default_rng(seed).normal([0, 100, -30000, 5, 0], [1, 50, 20, 1e-3, 3000], (n, 5))
    return emg_uv.astype(np.float32)


def read_bdf(path):
    """Read a BDF+ file by its specification: samples in µV (n, channels), their steps, labels and rate."""
    data = path.read_bytes()
    n_signals, n_records = int(data[252:256]), int(data[236:244])
    seconds = float(data[244:252])
    at = 256
    fields = {}
    for name, width in (
        ("label", 16),
        ("transducer", 80),
        ("dimension", 8),
        ("lowest", 8),
        ("highest", 8),
        ("digital_lowest", 8),
        ("digital_highest", 8),
        ("filter", 80),
        ("samples", 8),
        ("reserved", 32),
    ):
        fields[name] = [
            data[at + k * width : at + (k + 1) * width].decode().strip() for k in range(n_signals)
        ]
        at += n_signals * width
    assert data[:8] == b"\xffBIOSEMI"
    assert data[192:236].strip() == b"BDF+C"
    assert at == int(data[184:192])
    samples = [int(count) for count in fields["samples"]]
    raw = np.frombuffer(data[at:], np.uint8).reshape(n_records, sum(samples), 3).astype(np.int32)
    counts = (raw[..., 0] | raw[..., 1] << 8 | raw[..., 2] << 16) << 8 >> 8
    columns, steps = [], []
    for k, label in enumerate(fields["label"]):
        if label == "BDF Annotations":
            continue
        assert fields["dimension"][k] == "uV"
        lowest, highest = float(fields["lowest"][k]), float(fields["highest"][k])
        first, last = int(fields["digital_lowest"][k]), int(fields["digital_highest"][k])
        step = (highest - lowest) / (last - first)
        start = sum(samples[:k])
        columns.append((counts[:, start : start + samples[k]].reshape(-1) - first) * step + lowest)
        steps.append(step)
    names = [label for label in fields["label"] if label != "BDF Annotations"]
    return np.column_stack(columns), np.array(steps), names, samples[0] / seconds


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def validator_errors(dataset):
    if not VALIDATOR.is_file():
        pytest.skip("bids-validator-deno is not installed")
    ran = subprocess.run(
        [str(VALIDATOR), "--format", "json", str(dataset)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = json.loads(ran.stdout)
    return [issue["code"] for issue in told["issues"]["issues"] if issue["severity"] == "error"]


def emg_folder(out, participant="P01", session="S1"):
    return out / f"sub-{participant}" / f"ses-{session}" / "emg"


# Lengths and rates that fill the last record and that do not; 1925.926 Hz is a Delsys Trigno's.
@pytest.mark.parametrize(
    ("n", "fs_hz"),
    [(3000, 1000.0), (2999, 1000.0), (4099, 2048.0), (2003, 4000.0), (1999, 1925.925926), (1, 500.0)],
)
def test_samples_come_back_within_half_a_step(tmp_path, n, fs_hz):
    emg_uv = noise(n)
    emg_uv[:, 4] = 7.25
    made = export_bids([record(tmp_path, emg_uv, fs_hz=fs_hz)], tmp_path / "bids", SETTINGS, quiet)
    assert made == [tmp_path / "bids" / "sub-P01" / "ses-S1"]
    folder = emg_folder(tmp_path / "bids")
    read, steps, names, rate = read_bdf(folder / "sub-P01_ses-S1_task-gestures_emg.bdf")
    assert names == list("abcde")
    assert rate == pytest.approx(fs_hz, rel=1e-9)
    error_uv = np.abs(read[:n] - emg_uv.astype(np.float64))
    assert (error_uv.max(axis=0) <= steps * 0.5001 + 1e-9).all()
    # A step is a 2^24th of what the channel spans, however far from zero; the header's eight characters widen it.
    assert (steps * (2**24 - 1) <= np.ptp(emg_uv.astype(np.float64), axis=0) * 1.001 + 2.3).all()
    (scan,) = rows_of(made[0] / "sub-P01_ses-S1_scans.tsv")
    assert scan["filename"] == "emg/sub-P01_ses-S1_task-gestures_emg.bdf"
    assert len(read) == n + int(scan["padding_samples"])
    np.testing.assert_array_equal(read[n:], np.broadcast_to(read[n - 1], read[n:].shape))
    sidecar = json.loads((folder / "sub-P01_ses-S1_task-gestures_emg.json").read_text())
    assert sidecar["SamplingFrequency"] == pytest.approx(rate, rel=1e-12)
    assert sidecar["RecordingDuration"] == pytest.approx(n / fs_hz)
    assert validator_errors(tmp_path / "bids") == []


@settings(max_examples=60, deadline=None)
@given(
    n_samples=st.integers(1, 10**7),
    fs_hz=st.one_of(st.sampled_from([500.0, 1000.0, 2000.0, 2048.0, 4000.0, 10240.0]), st.floats(100, 20000)),
    n_channels=st.integers(1, 408),
)
def test_every_rate_and_length_has_a_record(n_samples, fs_hz, n_channels):
    layout = record_layout(n_samples, fs_hz, n_channels)
    assert len(f"{layout.seconds:.10g}") <= 8
    assert layout.samples / layout.seconds == pytest.approx(fs_hz, rel=1e-6)
    assert 0 <= layout.padding < layout.samples
    assert (n_samples + layout.padding) % layout.samples == 0
    if fs_hz in {500.0, 1000.0, 2000.0, 4000.0}:
        assert layout.padding == 0
        assert layout.samples * n_channels * 3 <= 61440


EVENTS = (
    cue(500.0, "rest", 1),
    Event(500.2, "stop", {"reason": 'a\ttab, a "quote" and a\nnew line'}),
    cue(501.0, "fist", 2),
    Event(502.5, "fault", {"reason": "lost"}),
    cue(503.5, "rest", 3),
)


def test_a_gap_makes_two_runs_and_no_event_is_lost(tmp_path):
    emg_uv = noise(3000)
    t_s = 500.0 + np.arange(3000) / 1000.0
    t_s[2000:] += 1.0  # 502.0 to 503.0 is missing
    export_bids([record(tmp_path, emg_uv, t_s=t_s, events=EVENTS)], tmp_path / "bids", SETTINGS, quiet)
    folder = emg_folder(tmp_path / "bids")
    first, second = (f"sub-P01_ses-S1_task-gestures_run-0{number}" for number in (1, 2))
    for stem, part in ((first, emg_uv[:2000]), (second, emg_uv[2000:])):
        read, steps, _, _ = read_bdf(folder / f"{stem}_emg.bdf")
        assert (np.abs(read[: len(part)] - part) <= steps).all()
    scans = rows_of(folder.parent / "sub-P01_ses-S1_scans.tsv")
    assert [float(scan["start_s"]) for scan in scans] == pytest.approx([0.0, 3.0])

    def told(stem):
        return [
            (float(row["onset"]), float(row["duration"]), row["trial_type"], row["kind"], row["trial"])
            for row in rows_of(folder / f"{stem}_events.tsv")
        ]

    def near(rows):
        return [
            (pytest.approx(onset, abs=1e-9), pytest.approx(duration, abs=1e-9), *rest)
            for onset, duration, *rest in rows
        ]

    assert told(first) == near(
        [
            (0.0, 1.0, "rest", "cue", "1"),
            (0.2, 0.0, "stop", "stop", "n/a"),
            (1.0, 1.0, "fist", "cue", "2"),
            (2.5, 0.0, "fault", "fault", "n/a"),
        ]
    )
    assert told(second) == near([(0.0, 0.5, "fist", "cue_continued", "2"), (0.5, 0.5, "rest", "cue", "3")])
    details = rows_of(folder / f"{first}_events.tsv")[1]["details"]
    assert json.loads(details) == dict(EVENTS[1].fields)
    assert validator_errors(tmp_path / "bids") == []


def test_two_sleeves_are_two_recordings_of_one_session(tmp_path):
    infos = [
        EmgStreamInfo(name, name, fs_hz, GRID, ("a", "b", "c", "d", "e"))
        for name, fs_hz in (("sleeve-left", 1000.0), ("sleeve-right", 500.0))
    ]
    folder = tmp_path / "sub-P01" / "ses-S1"
    writer = SessionWriter(folder, participant="P01", session="S1", emg=infos)
    writer.write_events([cue(500.0, "rest", 1), cue(501.0, "fist", 2)])
    parts = noise(2000, 1), noise(1000, 2)
    for info, part, first_s in zip(infos, parts, (500.0, 500.25), strict=True):
        writer.write_emg(part, first_s + np.arange(len(part)) / info.fs_hz, source_id=info.source_id)
    writer.close()
    (made,) = export_bids([folder], tmp_path / "bids", SETTINGS, quiet)
    for label, part, fs_hz, onset_s in (("left", parts[0], 1000.0, 1.0), ("right", parts[1], 500.0, 0.75)):
        stem = f"sub-P01_ses-S1_task-gestures_recording-sleeve{label}"
        read, steps, _, rate = read_bdf(made / "emg" / f"{stem}_emg.bdf")
        assert rate == fs_hz
        assert (np.abs(read - part) <= steps).all()
        rows = rows_of(made / "emg" / f"{stem}_events.tsv")
        assert float(rows[1]["onset"]) == pytest.approx(onset_s)
        assert (made / "emg" / f"sub-P01_ses-S1_recording-sleeve{label}_electrodes.tsv").is_file()
        assert (made / "emg" / f"sub-P01_ses-S1_recording-sleeve{label}_coordsystem.json").is_file()
    scans = rows_of(made / "sub-P01_ses-S1_scans.tsv")
    assert [float(scan["start_s"]) for scan in scans] == pytest.approx([0.0, 0.25])
    assert validator_errors(tmp_path / "bids") == []


def test_what_is_no_number_is_held_and_told(tmp_path):
    emg_uv = noise(1000)
    wanted = emg_uv.copy()
    emg_uv[100:150, 1] = np.nan
    emg_uv[140:160, 3] = np.inf
    emg_uv[:20, 0] = np.nan
    emg_uv[:, 4] = np.nan
    wanted[100:150, 1] = wanted[99, 1]
    wanted[140:160, 3] = wanted[139, 3]
    wanted[:20, 0] = wanted[20, 0]
    wanted[:, 4] = 0.0
    export_bids([record(tmp_path, emg_uv)], tmp_path / "bids", SETTINGS, quiet)
    folder = emg_folder(tmp_path / "bids")
    read, steps, _, _ = read_bdf(folder / "sub-P01_ses-S1_task-gestures_emg.bdf")
    assert (np.abs(read - wanted) <= steps).all()
    (row,) = rows_of(folder / "sub-P01_ses-S1_task-gestures_events.tsv")
    assert (row["trial_type"], float(row["onset"]), float(row["duration"])) == ("missing_samples", 0.0, 1.0)
    assert json.loads(row["details"]) == {"channels": list("abde")}
    channels = rows_of(folder / "sub-P01_ses-S1_task-gestures_channels.tsv")
    assert [channel["status"] for channel in channels] == ["good"] * 4 + ["bad"]
    assert validator_errors(tmp_path / "bids") == []


def test_the_sidecars_say_what_the_session_says(tmp_path):
    events = [cue(500.0, "rest", 1), Event(500.5, "join", {"repetition": 2})]
    export_bids([record(tmp_path, noise(1000), events=events)], tmp_path / "bids", SETTINGS, quiet)
    folder = emg_folder(tmp_path / "bids")
    sidecar = json.loads((folder / "sub-P01_ses-S1_task-gestures_emg.json").read_text())
    expected = {
        "EMGPlacementScheme": "Other",
        "EMGReference": "wrist",
        "SamplingFrequency": 1000.0,
        "PowerLineFrequency": 50.0,
        "RecordingType": "discontinuous",
        "TaskName": "gestures",
        "EMGChannelCount": 5,
        "Manufacturer": "Maker",
    }
    assert {key: sidecar[key] for key in expected} == expected
    assert sidecar["SoftwareFilters"] == {"Declared": {"Description": "10-500 Hz"}}
    channels = rows_of(folder / "sub-P01_ses-S1_task-gestures_channels.tsv")
    assert list(channels[0])[:3] == ["name", "type", "units"]
    assert [(one["name"], one["type"], one["units"], one["reference"]) for one in channels] == [
        (label, "EMG", "uV", "wrist") for label in "abcde"
    ]
    assert {one["interelectrode_distance"] for one in channels} == {"8.5"}
    electrodes = rows_of(folder / "sub-P01_ses-S1_electrodes.tsv")
    assert [(one["name"], float(one["x"]), float(one["y"])) for one in electrodes] == [
        ("a", 0.0, 0.0),
        ("b", 8.5, 0.0),
        ("c", 0.0, 8.5),
        ("d", 8.5, 8.5),
        ("e", 17.0, 8.5),
    ]
    coordinates = json.loads((folder / "sub-P01_ses-S1_coordsystem.json").read_text())
    assert (coordinates["EMGCoordinateSystem"], coordinates["EMGCoordinateUnits"]) == ("Other", "mm")
    description = json.loads((tmp_path / "bids" / "dataset_description.json").read_text())
    assert description["BIDSVersion"] == "1.11.1"
    assert (tmp_path / "bids" / "README.md").is_file()


def test_the_validator_would_object(tmp_path):
    """To a missing key and to an unknown channel type it does: its silence elsewhere means something."""
    export_bids([record(tmp_path, noise(1000))], tmp_path / "bids", SETTINGS, quiet)
    folder = emg_folder(tmp_path / "bids")
    path = folder / "sub-P01_ses-S1_task-gestures_emg.json"
    whole = path.read_text()
    values = json.loads(whole)
    del values["EMGReference"]
    path.write_text(json.dumps(values))
    assert "SIDECAR_KEY_REQUIRED" in validator_errors(tmp_path / "bids")
    path.write_text(whole)
    assert validator_errors(tmp_path / "bids") == []
    path = folder / "sub-P01_ses-S1_task-gestures_channels.tsv"
    path.write_text(path.read_text().replace("EMG", "QMG"))
    assert validator_errors(tmp_path / "bids") != []


@pytest.mark.parametrize(
    "labels",
    [
        ("a", "a", "b", "c", "d"),
        ("a" * 17, "b", "c", "d", "e"),
        ("ä", "b", "c", "d", "e"),
        (" a", "b", "c", "d", "e"),
    ],
)
def test_labels_that_a_header_cannot_hold_are_replaced_and_described(tmp_path, labels):
    assert channel_names(labels) == ("E1", "E2", "E3", "E4", "E5")
    export_bids([record(tmp_path, noise(100), labels=labels)], tmp_path / "bids", SETTINGS, quiet)
    folder = emg_folder(tmp_path / "bids")
    channels = rows_of(folder / "sub-P01_ses-S1_task-gestures_channels.tsv")
    assert [one["description"] for one in channels] == list(labels)
    _, _, names, _ = read_bdf(folder / "sub-P01_ses-S1_task-gestures_emg.bdf")
    assert names == ["E1", "E2", "E3", "E4", "E5"]


def test_sessions_and_participants_share_a_data_set_that_can_grow(tmp_path):
    out = tmp_path / "bids"
    one = record(tmp_path / "in", noise(500, 1), session="S1")
    two = record(tmp_path / "in", noise(500, 2), session="S2")
    export_bids([one, two], out, SETTINGS, quiet)
    assert rows_of(out / "participants.tsv") == [{"participant_id": "sub-P01"}]
    (out / "participants.tsv").write_text("participant_id\tage\nsub-P01\t44\n")
    (out / "participants.json").write_text('{"age": {"Description": "age", "Units": "year"}}')
    (out / "README.md").write_text("mine\n")
    three = record(tmp_path / "in", noise(500, 3), participant="P02")
    four = record(tmp_path / "in", noise(500, 4), session="S3")
    export_bids([three, four], out, SETTINGS, quiet)
    assert rows_of(out / "participants.tsv") == [
        {"participant_id": "sub-P01", "age": "44"},
        {"participant_id": "sub-P02", "age": "n/a"},
    ]
    assert (out / "README.md").read_text() == "mine\n"
    for participant, session, seed in (
        ("P01", "S1", 1),
        ("P01", "S2", 2),
        ("P02", "S1", 3),
        ("P01", "S3", 4),
    ):
        stem = f"sub-{participant}_ses-{session}_task-gestures_emg.bdf"
        read, steps, _, _ = read_bdf(emg_folder(out, participant, session) / stem)
        assert (np.abs(read - noise(500, seed)) <= steps).all()
    assert validator_errors(out) == []
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_nothing_is_overwritten_and_an_error_leaves_nothing(tmp_path):
    out = tmp_path / "bids"
    one = record(tmp_path / "in", noise(500, 1))
    two = record(tmp_path / "in", noise(500, 2), session="S2")
    export_bids([one], out, SETTINGS, quiet)
    before = snapshot(out)
    with pytest.raises(InputError, match="ses-S1 exists already; nothing is overwritten"):
        export_bids([two, one], out, SETTINGS, quiet)
    with pytest.raises(InputError, match="export one of them"):
        export_bids([two, two], out, SETTINGS, quiet)
    broken = record(tmp_path / "in", noise(500, 3), session="S3")
    (broken / "recording.xdf").write_bytes(b"XDF:")
    with pytest.raises(InputError, match=r"recording\.xdf"):
        export_bids([two, broken], out, SETTINGS, quiet)
    assert snapshot(out) == before
    with pytest.raises(InputError, match="task 'a-b': a label of letters and digits"):
        export_bids([two], out, ExportSettings(task="a-b"), quiet)
    other = tmp_path / "other"
    other.mkdir()
    (other / "photo.jpg").touch()
    with pytest.raises(InputError, match="other is no BIDS data set"):
        export_bids([two], other, SETTINGS, quiet)
    with pytest.raises(InputError, match="no BIDS data set"):
        export_bids([two], other / "photo.jpg", SETTINGS, quiet)
    assert list(other.iterdir()) == [other / "photo.jpg"]
    with pytest.raises(InputError, match=r"recording\.xdf"):
        export_bids([broken], tmp_path / "fresh", SETTINGS, quiet)
    assert list((tmp_path / "fresh").iterdir()) == []


def test_the_command_says_what_it_made(tmp_path, capsys):
    one = record(tmp_path / "in", noise(500))
    out = tmp_path / "bids"
    assert main(["export-bids", str(one), str(out), "--task", "study", "--powerline", "60", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[-1]) == {"dataset": str(out), "sessions": [str(out / "sub-P01" / "ses-S1")]}
    assert (emg_folder(out) / "sub-P01_ses-S1_task-study_emg.bdf").is_file()
    assert main(["export-bids", str(one), str(out)]) == 2
    assert "exists already" in capsys.readouterr().err.splitlines()[-1]
    assert main(["export-bids", str(out)]) == 2
    assert "name one session folder at least" in capsys.readouterr().err
    assert main(["export-bids", str(tmp_path / "nowhere"), str(out)]) == 2
    assert "nowhere is no folder" in capsys.readouterr().err


def test_mne_bids_reads_values_events_and_channels(tmp_path):
    mne_bids = pytest.importorskip("mne_bids")
    emg_uv = noise(4099)
    emg_uv[:, 4] = np.nan
    labels = ("E1", "E2", "E3", "E4", "E5")
    folder = record(tmp_path, emg_uv, fs_hz=2048.0, events=EVENTS[:3], labels=labels)
    export_bids([folder], tmp_path / "bids", SETTINGS, quiet)
    path = mne_bids.BIDSPath(
        subject="P01", session="S1", task="gestures", datatype="emg", extension=".bdf", root=tmp_path / "bids"
    )
    raw = mne_bids.read_raw_bids(path, verbose="ERROR")
    assert raw.ch_names == list(labels)
    assert set(raw.get_channel_types()) == {"emg"}
    assert raw.info["bads"] == ["E5"]
    assert raw.info["sfreq"] == 2048.0
    assert raw.info["line_freq"] == 50.0
    read_uv = raw.get_data()[:4].T[:4099] * 1e6
    np.testing.assert_allclose(read_uv, emg_uv[:, :4], atol=1e-3)
    told = zip(raw.annotations.onset, raw.annotations.duration, raw.annotations.description, strict=True)
    assert {name: (round(onset, 9), round(duration, 9)) for onset, duration, name in told} == {
        "missing_samples": (0.0, round(4099 / 2048, 9)),
        "rest": (0.0, 1.0),
        "stop": (0.2, 0.0),
        "fist": (1.0, round(4099 / 2048 - 1.0, 9)),
    }


@pytest.mark.real_data
def test_a_real_recording_is_exported_within_a_thousandth_of_a_count(flexemg_dir, tmp_path):
    """A count of this amplifier is 3.05 µV; its offset of 30 mV must not cost resolution."""
    src = tmp_path / "flexemg"
    name = "002-Session2Test"
    (src / "data" / name).mkdir(parents=True)
    shutil.copyfile(flexemg_dir / "arraymap.mat", src / "arraymap.mat")
    for number in (1, 2):
        shutil.copyfile(
            flexemg_dir / "data" / name / f"002-00{number}.mat", src / "data" / name / f"002-00{number}.mat"
        )
    (folder,) = import_flexemg(src, tmp_path / "in")
    export_bids([folder], tmp_path / "bids", SETTINGS, quiet)
    session = load_session(folder)
    out = emg_folder(tmp_path / "bids", "002", "Session2Test")
    read, steps, names, rate = read_bdf(out / "sub-002_ses-Session2Test_task-gestures_emg.bdf")
    assert np.abs(read - session.emg.emg_uv.astype(np.float64)).max() <= 0.00305
    assert steps.max() <= 2 * 0.00305
    assert tuple(names) == session.emg.info.channel_labels
    assert rate == 1000.0
    rows = rows_of(out / "sub-002_ses-Session2Test_task-gestures_events.tsv")
    assert [(float(row["onset"]), row["kind"], row["trial_type"]) for row in rows] == [
        (event.t_lsl_s, event.kind, event.fields.get("gesture", event.kind)) for event in session.events
    ]
    assert validator_errors(tmp_path / "bids") == []
