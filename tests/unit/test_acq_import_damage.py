"""Files of every format with bytes changed at random: one clear line or a whole session, never anything else."""

import shutil

import h5py
import numpy as np
import pytest
import scipy.io
import wfdb

from emg_acquisition.errors import InputError
from emg_acquisition.recording.importers.capgmyo import import_capgmyo
from emg_acquisition.recording.importers.flexwear import import_flexwear
from emg_acquisition.recording.importers.grabmyo import import_grabmyo
from emg_acquisition.recording.importers.intan_rhd import import_intan_rhd
from emg_acquisition.recording.importers.ninapro import import_ninapro
from emg_acquisition.recording.importers.otb_mat import import_otb_mat
from emg_acquisition.recording.importers.otb_plus import import_otb_plus
from emg_acquisition.recording.importers.threedc import import_threedc
from emg_acquisition.recording.importers.xdf import XdfOptions, import_xdf
from emg_acquisition.recording.session import load_session
from tests.unit.test_acq_import_amplifier_files import adapter_xml, counts_of, otb_mat, otb_plus, rhd
from tests.unit.test_acq_import_ninapro_grabmyo import AS_PUBLISHED, exercise
from tests.unit.test_acq_import_trial_sets import FLEXWEAR_KEYS
from tests.unit.test_acq_import_xdf import FS_HZ, IN_MV, header, markers, samples, write

RNG = np.random.default_rng(11)
# .mat files are compressed, as MATLAB writes them. In an uncompressed one, whose bytes no check sum covers, damage can
# crash scipy itself.


def make_flexwear(src):
    path = src / "p001" / "data_allchannels_initial.h5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        for key in FLEXWEAR_KEYS:
            file[key] = RNG.normal(0, 20, (1, 64, 10))
    return [path], lambda out: import_flexwear(src, out)


def make_capgmyo(src):
    path = src / "001-001-001.mat"
    scipy.io.savemat(path, {"data": RNG.uniform(-0.1, 0.1, (20, 128))}, do_compression=True)
    return [path], lambda out: import_capgmyo(src, out, database="a")


def make_ninapro(src):
    path = src / "S1_E1_A1.mat"
    exercise(path, [0, 1, 0], [0, 1, 0])
    return [path], lambda out: import_ninapro(src, out)


def make_grabmyo(src):
    name = "session1_participant1_gesture17_trial1"
    p_signal = RNG.normal(0, 0.02, (64, 32))
    units, formats = ["mV"] * 32, ["16"] * 32
    wfdb.wrsamp(
        name, fs=2048, units=units, sig_name=AS_PUBLISHED, p_signal=p_signal, fmt=formats, write_dir=str(src)
    )
    return [src / f"{name}.hea", src / f"{name}.dat"], lambda out: import_grabmyo(src, out)


def make_threedc(src):
    path = src / "P01.npz"
    np.savez_compressed(
        path, train_0_0=RNG.integers(-9, 9, (20, 10)), train_0_1=RNG.integers(-9, 9, (20, 10))
    )
    return [path], lambda out: import_threedc(src, out)


def make_otb_mat(src):
    path = src / "a.mat"
    otb_mat(path, [("Flexor - IN 1 - GR10MM0804", 32, "uV")], n=20)
    return [path], lambda out: import_otb_mat(path, out, participant="P01")


def make_otb_plus(src):
    path = src / "a.otb+"
    otb_plus(path, "MUOVI", [adapter_xml("IN1", 0, ["GR10MM0804"] * 32)], counts_of(32, 20))
    return [path], lambda out: import_otb_plus(path, out, participant="P01")


def make_rhd(src):
    path = src / "a.rhd"
    rhd(path, RNG.integers(0, 65536, (256, 4)).astype(np.uint16))
    (src / "grid.yaml").write_text("name: four\nchannel_at: [[0, 1, 2, 3]]\npitch_mm: 10\n")
    return [path], lambda out: import_intan_rhd(path, out, participant="P01", grid=str(src / "grid.yaml"))


def make_xdf(src):
    path = src / "a.xdf"
    emg = header(1, "Amp", "EMG", 33, FS_HZ, "double64", IN_MV)
    cues = header(2, "Cues", "Markers", 1, 0, "string")
    t_s = np.arange(40) / FS_HZ
    write(path, emg, cues, samples(1, RNG.normal(0, 1, (40, 33)), t_s, "<f8"), markers(2, [(0.01, "go")]))
    return [path], lambda out: import_xdf(path, out, participant="P01", options=XdfOptions(grid="GR10MM0804"))


FORMATS = (
    make_flexwear,
    make_capgmyo,
    make_ninapro,
    make_grabmyo,
    make_threedc,
    make_otb_mat,
    make_otb_plus,
    make_rhd,
    make_xdf,
)


def outcome(import_all, out):
    """What was made, and what was said if nothing was."""
    try:
        return import_all(out), ""
    except InputError as error:
        return [], str(error)


def damage(make, tmp_path, seed, times):
    src = tmp_path / "src"
    src.mkdir()
    paths, import_all = make(src)
    whole = [path.read_bytes() for path in paths]
    assert import_all(tmp_path / "whole")
    rng = np.random.default_rng(seed)
    for attempt in range(times):
        which = int(rng.integers(len(paths)))
        content = bytearray(whole[which])
        # Most damage shows where the structure is, at the beginning.
        reach = len(content) if attempt % 2 else min(len(content), 3000)
        for at in rng.integers(0, reach, rng.integers(1, 4)):
            content[at] = int(rng.integers(256))
        paths[which].write_bytes(bytes(content))
        out = tmp_path / f"out{attempt}"
        made, said = outcome(import_all, out)
        assert "\n" not in said
        assert made or not out.exists() or list(out.iterdir()) == []
        assert all(len(load_session(path).emg.emg_uv) for path in made)
        shutil.rmtree(out, ignore_errors=True)
        paths[which].write_bytes(whole[which])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", FORMATS)
def test_damage_is_one_line_or_harmless(make, tmp_path):
    damage(make, tmp_path, 1, 12)


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", FORMATS)
def test_a_great_deal_of_damage_is_one_line_or_harmless(make, tmp_path):
    damage(make, tmp_path, 2, 1500)
