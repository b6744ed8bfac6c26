"""``hdemg import``: one subcommand a format."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ui.commands.options import add_json, code, file_path, folder, positive_number
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

NAME = "import"
HELP = "recordings of other labs and devices -> session folders"
EXAMPLE = "hdemg import flexemg flexemg/ data/"

UNITS = ("uV", "mV", "V")
Run: TypeAlias = Callable[[argparse.Namespace, ProgressBar], list[Path]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare a subcommand for each format, with the options that it takes."""
    formats = parser.add_subparsers(dest="format", required=True, metavar="FORMAT", title="formats")
    flexemg = _add(formats, "flexemg", "64 electrodes, 5 classes (Moin et al. 2018); .mat", _flexemg)
    flexemg.add_argument(
        "--recording", action="append", metavar="NAME", help="only this recording; repeatable (default: all)"
    )
    flexwear = _add(
        formats, "flexwear", "FlexWear-HD: 64 electrodes, 10 classes (Yang et al. 2025); HDF5", _flexwear
    )
    _add_grid(flexwear, "sleeve-4x16")
    _add_unit(flexwear, "uV")
    capgmyo = _add(
        formats,
        "capgmyo",
        "CapgMyo: 128 electrodes, 8 or 12 gestures, no rest (Du et al. 2017); .mat",
        _capgmyo,
    )
    capgmyo.add_argument(
        "--database",
        required=True,
        choices=("a", "b", "c"),
        help="which of its databases; the files do not say",
    )
    _add_grid(capgmyo, "16 x 8, as its authors' code has it")
    ninapro = _add(
        formats,
        "ninapro",
        "Ninapro DB2: 12 electrodes, 49 movements and rest (Atzori et al. 2014); .mat",
        _ninapro,
    )
    _add_grid(ninapro, "as described by the data base")
    _add_unit(ninapro, "V")
    _add(formats, "grabmyo", "GRABMyo: 28 electrodes, 17 classes (Pradhan et al. 2022); WFDB", _grabmyo)
    threedc = _add(
        formats,
        "3dc",
        "3DC: 10 electrodes, 11 classes (C\u00f4t\u00e9-Allard et al. 2019); .npz or .txt",
        _threedc,
    )
    _add_grid(threedc, "ten around the arm")
    threedc.add_argument(
        "--uv-per-count",
        type=positive_number,
        metavar="UV",
        help="microvolts a count (default: 1; not published)",
    )
    _add_file_format(formats, "otb-mat", "OTBioLab+ .mat export", _otb_mat, "the matrix's own code")
    _add_file_format(formats, "otb+", "OTBioLab+ .otb+ file", _otb_plus, "the matrix's own code")
    _add_file_format(formats, "intan-rhd", "Intan .rhd file", _intan_rhd, None)
    xdf = _add_file_format(
        formats, "xdf", "any XDF file with an EMG stream", _xdf, "as the stream declares it"
    )
    _add_unit(xdf, "as the stream declares it")
    xdf.add_argument(
        "--stream", metavar="NAME", help="name or source_id of the EMG stream (default: the only one)"
    )
    xdf.add_argument(
        "--cues", type=file_path, metavar="YAML", help="which markers are cues: 'cues: {marker: gesture}'"
    )


def run(args: argparse.Namespace) -> int:
    """Import and list what was made."""
    with interrupt_on_sigterm(), ProgressBar("import") as progress:
        sessions = args.import_format(args, progress)
    for session in sessions:
        print(session)
    if args.json:
        print_json({"sessions": [str(session) for session in sessions]})
    return 0


def _add(
    formats: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, import_format: Run
) -> argparse.ArgumentParser:
    parser = formats.add_parser(
        name, help=text, description=f"{text} -> session folders; see docs/datasets.md"
    )
    parser.add_argument(
        "src", type=file_path, metavar="SRC", help="folder of the data set, as published, or a file"
    )
    parser.add_argument("out", type=folder, metavar="OUT", help="folder that receives sub-*/ses-*")
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    add_json(parser)
    parser.set_defaults(import_format=import_format)
    return parser


def _add_file_format(
    formats: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    import_format: Run,
    grid: str | None,
) -> argparse.ArgumentParser:
    parser = _add(formats, name, text, import_format)
    parser.add_argument(
        "--participant",
        type=code,
        required=True,
        metavar="CODE",
        help="letters and digits; no name, no date of birth",
    )
    _add_grid(parser, grid)
    return parser


def _add_grid(parser: argparse.ArgumentParser, default: str | None) -> None:
    note = f" (default: {default})" if default else ""
    parser.add_argument(
        "--grid", required=default is None, metavar="NAME|YAML", help=f"where the electrodes lie{note}"
    )


def _add_unit(parser: argparse.ArgumentParser, default: str) -> None:
    value = default if default in UNITS else None
    parser.add_argument(
        "--unit", choices=UNITS, default=value, help=f"unit of the values (default: {default})"
    )


def _flexemg(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.flexemg import import_flexemg

    return import_flexemg(args.src, args.out, progress, args.recording)


def _flexwear(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.flexwear import import_flexwear

    return import_flexwear(args.src, args.out, progress, grid=args.grid, unit=args.unit)


def _capgmyo(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.capgmyo import import_capgmyo

    return import_capgmyo(args.src, args.out, progress, database=args.database, grid=args.grid)


def _ninapro(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.ninapro import import_ninapro

    return import_ninapro(args.src, args.out, progress, grid=args.grid, unit=args.unit)


def _grabmyo(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.grabmyo import import_grabmyo

    return import_grabmyo(args.src, args.out, progress)


def _threedc(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.threedc import import_threedc

    return import_threedc(args.src, args.out, progress, grid=args.grid, uv_per_count=args.uv_per_count)


def _otb_mat(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.otb_mat import import_otb_mat

    return import_otb_mat(args.src, args.out, progress, participant=args.participant, grid=args.grid)


def _otb_plus(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.otb_plus import import_otb_plus

    return import_otb_plus(args.src, args.out, progress, participant=args.participant, grid=args.grid)


def _intan_rhd(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.intan_rhd import import_intan_rhd

    return import_intan_rhd(args.src, args.out, progress, participant=args.participant, grid=args.grid)


def _xdf(args: argparse.Namespace, progress: ProgressBar) -> list[Path]:
    from emg_acquisition.recording.importers.xdf import XdfOptions, import_xdf

    options = XdfOptions(args.stream, args.grid, args.unit, args.cues)
    return import_xdf(args.src, args.out, progress, participant=args.participant, options=options)
