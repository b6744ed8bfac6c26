"""The checksum by which an emulated amplifier knows a whole command: CRC-8/MAXIM, by a table of nibbles."""

# What each low nibble leaves of the register after four shifts of the polynomial 0x31, reflected.
_BY_NIBBLE = (
    (0x00, 0x9D, 0x23, 0xBE, 0x46, 0xDB, 0x65, 0xF8, 0x8C, 0x11, 0xAF, 0x32, 0xCA, 0x57, 0xE9, 0x74)
)  # fmt: skip


def table_crc8(data: bytes) -> int:
    """Return the checksum; zero for data that end with their own."""
    register = 0
    for byte in data:
        register ^= byte
        register = _BY_NIBBLE[register & 0xF] ^ (register >> 4)
        register = _BY_NIBBLE[register & 0xF] ^ (register >> 4)
    return register
