"""``hdemg recalibrate`` from session folders on disk: what it prints, and what it refuses."""

import json
from pathlib import Path

import pytest

from decoding.decoder_file import load_decoder
from decoding.temporal import TemporalSettings
from tests.cal_support import SLEEVE_GESTURES, donned
from tests.dec_support import cues, write_session
from ui import cli


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("study")
    found = {
        "first": write_session(root, "S1", donned(cues(2, SLEEVE_GESTURES))),
        "again": write_session(root, "S2", donned(cues(2, SLEEVE_GESTURES), 3, 0, seed=4)),
        "stranger": write_session(root, "S3", donned(cues(1, SLEEVE_GESTURES), person=4, seed=5)),
        "decoder": str(root / "decoder.onnx"),
        "out": str(root / "new.onnx"),
    }
    assert cli.main(["train", found["first"], "-o", found["decoder"]]) == 0
    return found


@pytest.mark.parametrize(
    ("option", "ways"), [(["--unlabelled"], {"carried"}), ([], {"afresh", "pooled", "carried"})]
)
def test_json_is_the_last_line(study, capsys, option, ways):
    arguments = ["recalibrate", study["decoder"], study["again"], "-o", study["out"], "--json", *option]
    assert cli.main(arguments) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(last) == {"decoder", "model", "held_out", "seconds", "way", "shift", "similarity"}
    assert last["way"] in ways
    assert last["shift"] == {"rows": 3, "columns": 0}
    held_out = load_decoder(Path(study["out"])).metadata.held_out
    assert last["held_out"] == held_out.model_dump()
    assert (held_out.window_accuracy is None) == bool(option)


def test_drift_is_followed_only_where_it_is_asked_for(study):
    arguments = ["recalibrate", study["decoder"], study["again"], "-o", study["out"], "--unlabelled"]
    assert cli.main(arguments) == 0
    assert load_decoder(Path(study["out"])).metadata.drift is None
    assert cli.main([*arguments, "--follow-drift"]) == 0
    assert load_decoder(Path(study["out"])).metadata.drift is not None


def test_hops_are_weighed_together_only_where_it_is_asked_for_and_recalibration_keeps_it(study, tmp_path):
    assert load_decoder(Path(study["decoder"])).metadata.temporal is None
    decoder = str(tmp_path / "temporal.onnx")
    assert cli.main(["train", study["first"], "-o", decoder, "--temporal"]) == 0
    assert load_decoder(Path(decoder)).metadata.temporal == TemporalSettings()
    assert cli.main(["recalibrate", decoder, study["again"], "-o", study["out"], "--unlabelled"]) == 0
    assert load_decoder(Path(study["out"])).metadata.temporal == TemporalSettings()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"again": "stranger", "option": "--unlabelled"}, "needed"),
        ({"decoder": "first"}, "cannot read the decoder"),
        ({"again": "decoder"}, "is no folder"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_nothing_iswrite_session(study, tmp_path, capsys, changed, said):
    decoder, session = (study[changed.get(name, name)] for name in ("decoder", "again"))
    out = tmp_path / "new.onnx"
    options = [changed["option"]] if "option" in changed else []
    assert cli.main(["recalibrate", decoder, session, "-o", str(out), *options]) == 2
    line = [one for one in capsys.readouterr().err.splitlines() if "error:" in one]
    assert len(line) == 1
    assert said in line[0]
    assert list(tmp_path.iterdir()) == []
