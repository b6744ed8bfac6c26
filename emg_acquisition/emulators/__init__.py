"""Amplifiers for those who have none: each speaks its own protocol over real TCP, in the device's own role.

They share no coding of samples or commands with the drivers in ``sources/``, so that each checks the other.

- ``emulator.py``: the Protocol of an emulator, its thread, its sockets and its clock
"""
