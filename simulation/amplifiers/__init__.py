"""Amplifiers for those who have none: each speaks its own protocol over real TCP, in the device's own role.

They share no coding of samples or commands with the drivers in ``sources/``, so that each checks the other.

- ``emulator.py``: the Protocol of an emulator, its thread, its sockets and its clock
- ``signals.py``: what an emulated amplifier measures
- ``otb_checksum.py`` ``otb_aux.py`` ``otb_streaming.py``: what those of OT Bioelettronica share
- ``otb_sessantaquattro.py`` ``otb_muovi.py``: devices that connect to the computer
- ``otb_syncstation.py`` ``otb_quattrocento.py``: devices to which the computer connects
- ``intan_rhx.py``: Intan RHX, with its command and its waveform server
- ``emulate.py``: an emulator by the amplifier's name, beside the driver that will find it
"""
