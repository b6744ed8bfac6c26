"""The amplifiers that can be asked for, by name; light enough for a command line that only lists them."""

AMPLIFIERS = (
    "sessantaquattro",
    "sessantaquattro+",
    "muovi",
    "muovi+",
    "syncstation",
    "quattrocento",
    "intan",
    "brainflow",
)
