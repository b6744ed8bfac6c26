import pytest

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from emg_acquisition.stream_info import AuxChannel, AuxStreamInfo, EmgStreamInfo, GestureStreamInfo
from emg_acquisition.streams.stream_xml import (
    aux_header_xml,
    aux_info_from_xml,
    emg_header_xml,
    emg_info_from_xml,
    gesture_header_xml,
    gesture_info_from_xml,
)


def make_info(**changes):
    grid = ElectrodeGrid("corner", ((-1, 2), (0, 3), (1, 4)), 8.0, "columns")
    fields = {
        "name": "Forearm <left> & more",
        "source_id": "dev-1",
        "fs_hz": 2048.0,
        "grid": grid,
        "channel_labels": ("a", "b", "c", "d", "e & f"),
        "manufacturer": "M",
        "model": "X",
        "serial_number": "7",
        "reference": "wrist",
        "filters": "HP 10 Hz",
        "playback_speed": 2.5,
    }
    return EmgStreamInfo(**{**fields, **changes})


def test_an_emg_declaration_survives_its_xml():
    info = make_info()
    assert emg_info_from_xml(emg_header_xml(info)) == info


def test_a_gesture_declaration_survives_its_xml():
    info = GestureStreamInfo("Decoder", "dec-1", 20.0, ("rest", "fist <1>", "öffnen"), "dev-1", "ab" * 32)
    assert gesture_info_from_xml(gesture_header_xml(info)) == info


def test_speed_defaults_to_real_time_where_a_stream_does_not_declare_it():
    xml = emg_header_xml(make_info()).replace("<playback_speed>2.5</playback_speed>", "")
    assert emg_info_from_xml(xml).playback_speed == 1.0


@pytest.mark.parametrize(
    ("found", "replaced", "said"),
    [
        ("<channel_count>5<", "<channel_count>6<", "6 channels, but 5 are described"),
        ("<unit>microvolts<", "<unit>volts<", "is in volts, microvolts are required"),
        ("<unit>microvolts<", "<unit><", "is in no unit"),
        ("<type>EMG</type><row>", "<type>AUX</type><row>", "is of type AUX"),
        ("<rows>3<", "<rows>three<", "'desc/grid/rows' is 'three'"),
        ("<rows>3<", "<rows>2<", "outside a 2 x 2 grid"),
        ("<row>2<", "<row>1<", "each once"),
        ("<pitch_mm>8.0<", "<pitch_mm>nan<", "'desc/grid/pitch_mm' is 'nan'"),
        ("<wraps>columns<", "<wraps>about<", "wraps"),
        ("<grid>", "<gird>", "no XML"),
        ("<label>a<", "<label><", "lacks 'label'"),
        ("<nominal_srate>2048.0<", "<nominal_srate>0<", "must be positive"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong(found, replaced, said):
    xml = emg_header_xml(make_info())
    assert found in xml
    with pytest.raises(InputError, match=said) as caught:
        emg_info_from_xml(xml.replace(found, replaced))
    assert "\n" not in str(caught.value)


def test_a_stream_without_a_grid_is_no_stream_of_ours():
    with pytest.raises(InputError, match="no electrode grid"):
        emg_info_from_xml("<info><name>EEG cap</name><channel_count>8</channel_count><desc/></info>")


@pytest.mark.parametrize(
    ("text", "said"), [("rest, fist", "no JSON"), ("[]", "list of names"), ("[1]", "list of names")]
)
def test_gestures_must_be_a_list_of_names(text, said):
    xml = gesture_header_xml(GestureStreamInfo("D", "d", 20.0, ("rest",), "e"))
    with pytest.raises(InputError, match=said):
        gesture_info_from_xml(xml.replace("[&quot;rest&quot;]", text).replace('["rest"]', text))


def test_labels_and_grid_must_agree():
    with pytest.raises(InputError, match="2 channel labels for a grid of 4"):
        make_info(grid=rectangular_grid(2, 2, 1.0), channel_labels=("a", "b"))


def test_an_aux_stream_keeps_its_labels_kinds_and_units() -> None:
    info = AuxStreamInfo(
        "amp aux",
        "amp-1-aux",
        2000.0,
        (AuxChannel("ramp", "counter"), AuxChannel("AUX 1", "voltage", "microvolts")),
    )

    assert aux_info_from_xml(aux_header_xml(info)) == info


def test_an_aux_stream_whose_channels_are_not_all_described_is_refused() -> None:
    info = AuxStreamInfo("amp aux", "amp-1-aux", 2000.0, (AuxChannel("ramp", "counter"),))
    xml = aux_header_xml(info).replace("<channel_count>1</channel_count>", "<channel_count>2</channel_count>")

    with pytest.raises(InputError, match="2 channels, but 1 are described"):
        aux_info_from_xml(xml)
