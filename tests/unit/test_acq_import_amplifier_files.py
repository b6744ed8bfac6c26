"""Files that amplifiers' programs write: OTBioLab+ (.mat and .otb+) and Intan (.rhd), in layouts written by hand."""

import io
import struct
import tarfile

import numpy as np
import pytest
import scipy.io

from emg_acquisition.errors import InputError
from emg_acquisition.recording.importers.intan_rhd import import_intan_rhd
from emg_acquisition.recording.importers.otb_mat import import_otb_mat
from emg_acquisition.recording.importers.otb_plus import import_otb_plus
from emg_acquisition.recording.session import load_session

RNG = np.random.default_rng(6)


def nothing_left(out):
    return not out.exists() or list(out.iterdir()) == []


@pytest.mark.real_data
def test_an_otb_export_gives_its_64_electrodes_in_place(test_data, tmp_path):
    src = test_data / "otb_sample" / "otb_testfile.mat"
    (made,) = import_otb_mat(src, tmp_path, participant="P01")
    assert made == tmp_path / "sub-P01" / "ses-otbtestfile"
    emg = load_session(made).emg
    # The first 64 columns are the matrix in uV; decomposition, sources and force follow.
    data = scipy.io.loadmat(src, variable_names=["Data"])["Data"][0, 0]
    np.testing.assert_array_equal(emg.emg_uv, data[:, :64])
    np.testing.assert_allclose(emg.t_lsl_s, np.arange(len(data)) / 2048, atol=1e-9)
    assert emg.info.fs_hz == 2048.0
    assert emg.info.grid.name == "GR08MM1305"
    # GR08MM1305: no electrode in the corner, 1 below it, 24 at the head of the second column's other end.
    assert emg.info.grid.channel_at[0][0] == -1
    assert emg.info.grid.channel_at[1][0] == 0
    assert emg.info.grid.channel_at[1][1] == 23


def otb_mat(path, groups, extra=(), fs_hz=512.0, n=300, **more):
    """Groups of (text before the number, channels, unit)."""
    texts = [f"{text} ({k})[{unit}]" for text, count, unit in groups for k in range(1, count + 1)]
    data = RNG.normal(0, 20, (n, len(texts) + len(extra)))
    content = {
        "Data": data,
        "Description": np.array([*texts, *extra], dtype=object)[:, None],
        "SamplingFrequency": fs_hz,
        "Time": (3.0 + np.arange(n) / fs_hz)[:, None],
    }
    scipy.io.savemat(path, {**content, **more}, do_compression=True)
    return data


def test_an_otb_export_of_two_matrices_becomes_two_sessions(tmp_path):
    path = tmp_path / "two.mat"
    groups = [
        ("Flexor - IN 1 - GR10MM0804", 32, "mV"),
        ("Decomposition of Flexor - GR10MM0804", 2, "uV"),
        ("Extensor - IN 5 - HD10MM0804", 32, "uV"),
    ]
    data = otb_mat(path, groups, ["force[%(MVC)]"])
    made = import_otb_mat(tmp_path, tmp_path / "out", participant="P01")
    assert [one.name for one in made] == ["ses-twogrid1", "ses-twogrid2"]
    first, second = (load_session(one).emg for one in made)
    np.testing.assert_allclose(first.emg_uv, data[:, :32] * 1000, rtol=1e-6)
    np.testing.assert_allclose(second.emg_uv, data[:, 34:66], rtol=1e-6)
    assert second.info.grid.name == "HD10MM0804"


def test_otb_export_faults_are_named(tmp_path):
    path = tmp_path / "a.mat"
    group = ("Flexor - IN 1 - GR10MM0804", 32, "uV")
    cases = (
        ({"groups": [("Flexor - IN 1 - GR10MM0804", 4, "a.u")]}, {}, "none of its 4 columns is an electrode"),
        ({"groups": [group], "n": 1}, {}, r"'Data' has shape \(32,\)"),
        ({"groups": [group]}, {"Time": np.zeros((300, 1))}, "regular steps of 512 Hz"),
        ({"groups": [group]}, {"SamplingFrequency": np.array([[512.0, 2048.0]])}, "signals of one rate"),
        ({"groups": [group]}, {"Data": np.zeros((300, 31))}, r"'Data' has shape \(300, 31\)"),
        ({"groups": [("Flexor - IN 1 - XX10MM0804", 32, "uV")]}, {}, "name the grid with --grid"),
        (
            {"groups": [("Flexor - IN 1 - GR10MM0804", 31, "uV")]},
            {},
            "31 EMG channels, but grid 'GR10MM0804' has 32",
        ),
    )
    for layout, more, words in cases:
        otb_mat(path, **layout, **more)
        with pytest.raises(InputError, match=rf"a\.mat.*{words}"):
            import_otb_mat(path, tmp_path / "out", participant="P01")
        assert nothing_left(tmp_path / "out")
    scipy.io.savemat(path, {"x": 1})
    with pytest.raises(InputError, match=r"a\.mat lacks 'Description'"):
        import_otb_mat(path, tmp_path / "out", participant="P01")
    otb_mat(path, [group])
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"a\.mat (cannot be read|lacks .* cut short)"):
        import_otb_mat(path, tmp_path / "out", participant="P01")


def adapter_xml(name, start, channels, gain="1", channel_gain="1"):
    inner = "".join(
        f'<Channel Index="{k}" Gain="{channel_gain}" ID="{electrode}" Muscle="Flexor" />'
        for k, electrode in enumerate(channels)
    )
    return (
        f'<Adapter ID="{name}" Gain="{gain}" HighPassFilter="10" LowPassFilter="500" AdapterIndex="0" '
        f'ChannelStartIndex="{start}">{inner}</Adapter>'
    )


def otb_plus(path, device, adapters, counts, *, fs_hz=2048, bits=16, total=None, sig=None, extra=()):
    total = counts.shape[1] if total is None else total
    xml = (
        f'<?xml version="1.0" encoding="utf-8"?><Device Name="{device}" SampleFrequency="{fs_hz}" '
        f'DeviceTotalChannels="{total}" ad_bits="{bits}"><Channels>{"".join(adapters)}</Channels></Device>'
    )
    content = {
        "patient.xml": b"<Patient><family_name>Doe</family_name></Patient>",
        "20230101.sig": counts.astype("<i2").tobytes() if sig is None else sig,
        "20230101.xml": xml.encode(),
        **dict(extra),
    }
    with tarfile.open(path, "w") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return counts


def counts_of(n_channels, n=9000):
    return RNG.integers(-30000, 30000, (n, n_channels), dtype=np.int16)


# µV a count as devices.md has them.
@pytest.mark.parametrize(
    ("device", "gain", "uv"),
    [
        ("QUATTROCENTO;1", "150", 0.50863),
        ("QUATTROCENTO", "1", 0.50863),
        ("SESSANTAQUATTRO", "256", 0.2861),
        ("MUOVI+", "1", 0.2861),
        ("DUE+", "1", 0.249),
    ],
)
def test_an_otb_plus_file_is_scaled_by_its_device(tmp_path, device, gain, uv):
    adapters = [
        adapter_xml("IN1", 0, ["GR10MM0804"] * 32, gain),
        adapter_xml("AdapterQuaternions", 32, ["Quaternion"] * 4),
        adapter_xml("AdapterControl", 36, ["BufferChannel", "RampChannel"]),
    ]
    counts = otb_plus(tmp_path / "rec_1.otb+", device, adapters, counts_of(38))
    (made,) = import_otb_plus(tmp_path, tmp_path / "out", participant="P01")
    assert made == tmp_path / "out" / "sub-P01" / "ses-rec1"
    session = load_session(made)
    np.testing.assert_allclose(session.emg.emg_uv, counts[:, :32] * uv, rtol=2e-3)
    some = counts[:, 5] != 0
    ratio = session.emg.emg_uv[some, 5].astype(np.float64) / counts[some, 5]
    assert ratio.max() == pytest.approx(ratio.min(), rel=1e-6)
    assert session.emg.info.fs_hz == 2048.0
    assert session.emg.info.grid.name == "GR10MM0804"
    # Names of people stay where they are.
    assert b"Doe" not in (made / "recording.xdf").read_bytes()
    assert "Doe" not in (made / "session.yaml").read_text()


def test_an_otb_plus_file_of_two_matrices_becomes_two_sessions(tmp_path):
    adapters = [
        adapter_xml("MULTIPLE IN1", 2, ["GR08MM1305"] * 64, "150"),
        adapter_xml("IN1", 66, ["HD10MM0804"] * 32, "150", channel_gain="2"),
    ]
    counts = otb_plus(tmp_path / "a.otb+", "QUATTROCENTO", adapters, counts_of(100))
    made = import_otb_plus(tmp_path / "a.otb+", tmp_path / "out", participant="P01")
    assert [one.name for one in made] == ["ses-agrid1", "ses-agrid2"]
    first, second = (load_session(one).emg.emg_uv for one in made)
    np.testing.assert_allclose(first, counts[:, 2:66] * 0.50863, rtol=1e-4)
    np.testing.assert_allclose(second, counts[:, 66:98] * 0.50863 / 2, rtol=1e-4)


def test_otb_plus_faults_are_named(tmp_path):
    path = tmp_path / "a.otb+"
    adapter = adapter_xml("IN1", 0, ["GR10MM0804"] * 32)
    counts = counts_of(32, 50)
    whole = {"device": "MUOVI", "adapters": [adapter], "counts": counts}
    cases = (
        ({"bits": 24}, "24 bits; only 16 bits can be read"),
        ({"sig": counts.tobytes()[:-1]}, "no whole number of samples of 32 channels"),
        ({"sig": b""}, "no whole number of samples"),
        ({"device": "OTHER"}, "device 'OTHER' is not known"),
        ({"fs_hz": 0}, "'SampleFrequency', or it is no number above zero: '0'"),
        ({"adapters": []}, "holds no EMG channel"),
        ({"adapters": [adapter_xml("IN1", 1, ["GR10MM0804"] * 32)]}, "twice or beyond the device's 32"),
        ({"adapters": [adapter_xml("IN1", 0, ["Other"] * 32)]}, "name the grid with --grid"),
        (
            {"adapters": [adapter_xml("IN1", 0, ["GR10MM0804"] * 32, "99")]},
            "a gain of 99; 256 is known for MUOVI",
        ),
        ({"adapters": ["<Adapter"]}, r"cannot be read as an \.otb\+ file"),
        ({"extra": [("b.sig", b"")]}, "holds 2 .sig files"),
    )
    for changed, words in cases:
        otb_plus(path, **{**whole, **changed})
        with pytest.raises(InputError, match=rf"a\.otb\+.*{words}"):
            import_otb_plus(path, tmp_path / "out", participant="P01")
        assert nothing_left(tmp_path / "out")
    otb_plus(path, **whole)
    content = path.read_bytes()
    for size in (0, 100, 700, 3000):
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match=r"a\.otb\+"):
            import_otb_plus(path, tmp_path / "out", participant="P01")
        assert nothing_left(tmp_path / "out")


def qstring(text):
    data = text.encode("utf-16-le")
    return struct.pack("<I", len(data)) + data


def rhd_header(fs_hz, channels):
    """Intan's RHD2000 data file format, version 2.0: (name, signal type) a channel, in one group."""
    head = struct.pack("<Ihhf", 0xC6912702, 2, 0, fs_hz)
    # DSP, actual and desired bandwidths, notch, impedance test, then three notes.
    head += struct.pack("<hffffffhff", 1, 1.0, 10.0, 500.0, 1.0, 10.0, 500.0, 2, 1000.0, 1000.0)
    head += qstring("note 1") + qstring("") + qstring("")
    # Temperature sensors, board mode, reference channel, number of groups.
    head += struct.pack("<hh", 0, 0) + qstring("hardware") + struct.pack("<h", 1)
    head += qstring("Port A") + qstring("A") + struct.pack("<hhh", 1, len(channels), 64)
    for order, (name, signal_type) in enumerate(channels):
        head += qstring(name) + qstring(name)
        head += struct.pack("<hhhhhh", order, order, signal_type, 1, order, 0)
        head += struct.pack("<hhhh", 0, 0, 0, 0) + struct.pack("<ff", 0.0, 0.0)
    return head


def rhd(path, counts, *, fs_hz=4000.0, first=0, gap_at=None):
    """Blocks of 128: time stamps, then each amplifier channel, then one auxiliary channel at a quarter of the rate."""
    n_blocks = len(counts) // 128
    names = [(f"A-{k:03}", 0) for k in range(counts.shape[1])]
    data = rhd_header(fs_hz, [*names, ("A-AUX1", 1)])
    for block in range(n_blocks):
        shift = 1000 if gap_at is not None and block >= gap_at else 0
        stamps = np.arange(block * 128, (block + 1) * 128) + first + shift
        data += stamps.astype("<i4").tobytes()
        data += np.ascontiguousarray(counts[block * 128 : (block + 1) * 128].T).astype("<u2").tobytes()
        data += np.full(32, 7, "<u2").tobytes()
    path.write_bytes(data)


def test_an_rhd_file_is_in_microvolts(tmp_path):
    counts = RNG.integers(0, 65536, (128 * 40, 64)).astype(np.uint16)
    rhd(tmp_path / "rec_230101.rhd", counts)
    (made,) = import_intan_rhd(tmp_path, tmp_path / "out", participant="P01", grid="sleeve-4x16")
    assert made == tmp_path / "out" / "sub-P01" / "ses-rec230101"
    emg = load_session(made).emg
    np.testing.assert_allclose(emg.emg_uv, 0.195 * (counts.astype(np.float64) - 32768), rtol=1e-6, atol=1e-4)
    np.testing.assert_array_equal(emg.t_lsl_s, np.arange(len(counts)) / 4000)
    assert emg.info.fs_hz == 4000.0
    assert emg.info.channel_labels[:2] == ("A-000", "A-001")
    assert emg.info.grid.name == "sleeve-4x16"


def test_rhd_faults_are_named(tmp_path):
    path = tmp_path / "a.rhd"
    counts = RNG.integers(0, 65536, (128 * 4, 64)).astype(np.uint16)

    def refused(words, grid="sleeve-4x16"):
        with pytest.raises(InputError, match=rf"a\.rhd.*{words}") as caught:
            import_intan_rhd(path, tmp_path / "out", participant="P01", grid=grid)
        assert "\n" not in str(caught.value)
        assert nothing_left(tmp_path / "out")

    rhd(path, counts)
    whole = path.read_bytes()
    for size in (0, 3, 50, 400, len(rhd_header(4000.0, [("A-000", 0)])), len(whole) - 100):
        path.write_bytes(whole[:size])
        refused("")
    path.write_bytes(b"PK\x03\x04" + whole)
    refused("is no Intan RHD file")
    rhd(path, counts, gap_at=2)
    refused(r"without a gap in time.*not continuous")
    rhd(path, counts[:, :32])
    refused("has 32 EMG channels, but grid 'sleeve-4x16' has 64")
    path.write_bytes(rhd_header(4000.0, [("A-AUX1", 1)]) + np.arange(128, dtype="<i4").tobytes() + b"\0" * 64)
    refused("holds no amplifier channel")
