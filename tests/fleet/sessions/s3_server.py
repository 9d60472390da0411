"""Serves the protocol of S3 on a free port of the loopback interface: moto, which is no real S3."""

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def main() -> None:
    """Prints the port, and serves until it is ended."""
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    print(server.server_port, flush=True)  # noqa: T201 whoever started it reads
    server.serve_forever()


if __name__ == "__main__":
    main()
