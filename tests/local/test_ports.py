import socket

from local import ports


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not ports.is_free(listener.getsockname()[1])


def test_a_port_is_free_again_when_its_listener_has_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert ports.is_free(port)


def test_a_free_port_is_free() -> None:
    assert ports.is_free(ports.free_port())
