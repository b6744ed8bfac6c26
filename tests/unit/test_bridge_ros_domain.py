"""A domain in use is not offered."""

import socket

import pytest

from emg_acquisition.errors import InputError
from robot_bridge import ros_domain
from robot_bridge.ros_domain import first_unicast_port, free_ros_domain


def test_port_of_a_domain_is_that_of_the_rtps_standard():
    assert first_unicast_port(0) == 7410
    assert first_unicast_port(42) == 17910


def test_a_domain_in_use_is_not_offered(monkeypatch):
    monkeypatch.setattr(ros_domain, "HIGHEST_PORTABLE_DOMAIN", 3)
    first = free_ros_domain()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", first_unicast_port(first)))
        assert all(free_ros_domain() != first for _ in range(20))


def test_no_free_domain_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(ros_domain, "_is_free", lambda _: False)
    with pytest.raises(InputError, match="all ROS domains from 1 to 101 are in use"):
        free_ros_domain()
