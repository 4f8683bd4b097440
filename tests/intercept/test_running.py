"""The program's end, its signals, and a server that breaks connections."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.intercept.conftest import Intercept, intercept_line

from bulkwright.intercept.environment import environment
from bulkwright.intercept.proxy import Ports

WAITS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("code", "status"),
    [("", 0), ("raise SystemExit(5)", 5), ("import os; os.kill(os.getpid(), 9)", 137)],
)
def test_the_exit_status_is_that_of_the_program(
    intercept: Intercept, code: str, status: int
) -> None:
    """Of one that a signal has ended, as a shell shows it."""
    assert intercept(sys.executable, "-c", code).returncode == status


def test_a_program_that_does_not_exist(intercept: Intercept) -> None:
    """The statuses of a shell."""
    missing = intercept("no-such-program")
    assert missing.returncode == 127 and "there is no program no-such-program" in missing.stderr
    nothing = intercept()
    assert nothing.returncode == 2 and "behind `--`" in nothing.stderr


def test_signals_reach_the_program() -> None:
    """It ends as it wants to, and the interceptor after it."""
    line = intercept_line("--url", "http://127.0.0.1:9", "--", sys.executable, "-c", WAITS)
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
        run.send_signal(signal.SIGTERM)
        assert run.wait(30) == 7


LEAVES_OPEN = """
import os, socket, subprocess, sys
port = int(os.environ["HTTPS_PROXY"].rpartition(":")[2])
for host in ("www.zohoapis.com:443", f"127.0.0.1:{sys.argv[1]}"):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(f"CONNECT {host} HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode())
    assert b" 200 " in connection.recv(1024)
    subprocess.Popen(["sleep", "20"], pass_fds=[connection.fileno()], stdout=-3, stderr=-3)
"""


def test_connections_that_stay_open_end_with_the_program(intercept: Intercept) -> None:
    """Those that a process in the background has, for example. Nothing is printed of them."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = intercept(sys.executable, "-c", LEAVES_OPEN, port, options=("--quiet",))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_what_the_server_breaks_is_broken_for_the_program(tmp_path: Path) -> None:
    """No response is made up; only a server that is not there is named."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def cut() -> None:
            for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"):
                connection, _ = server.accept()
                connection.recv(1024)
                connection.sendall(answer)
                connection.close()

        thread = threading.Thread(target=cut)
        thread.start()
        line = intercept_line(
            "--url", url, "--quiet", "--", "curl", "-s", "https://www.zohoapis.com/"
        )
        assert subprocess.run(line, capture_output=True, check=False).returncode in (52, 56)
        half = subprocess.run(line, capture_output=True, check=False)
        assert half.returncode in (18, 56) and half.stdout == b"half"
        thread.join()
    line[line.index(url)] = "http://127.0.0.1:9"
    assert b"127.0.0.1:9 cannot be reached" in subprocess.run(line, capture_output=True).stdout


def test_the_environment_keeps_what_the_program_had() -> None:
    """Exceptions of a proxy and options of Node stay; a proxy for all schemes goes."""
    had = {"NO_PROXY": "db.example", "NODE_OPTIONS": "--trace-warnings", "ALL_PROXY": "x", "A": "b"}
    made = environment(had, Ports(1, 2), Path("/c/ca.pem"), Path("/c/all.pem"), only_zoho=True)
    assert made["no_proxy"] == "localhost,127.0.0.1,::1,db.example"
    assert made["NODE_OPTIONS"].startswith("--trace-warnings --require ")
    assert made["HTTPS_PROXY"] == "http://127.0.0.1:1" and made["A"] == "b"
    assert made["REQUESTS_CA_BUNDLE"] == "/c/all.pem" and "ALL_PROXY" not in made
