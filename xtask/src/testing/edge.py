"""Talks to the service through a real nginx that runs the configuration in deploy/, without TLS and with TLS 1.3.

Arguments as JSON on standard input: nginx (argument list), configuration (folder), scratch (folder), api (host:port),
instance (process id of the service), authority, certificate, key (PEM files). Prints one line for each thing that was
shown; ends with an assertion when one does not hold.
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

GIVEN = json.load(sys.stdin)
SCRATCH = pathlib.Path(GIVEN["scratch"])
PROBLEM = "application/problem+json"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "nginx has ended: " + (SCRATCH / "nginx.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("nginx does not listen")


class Edge:
    """nginx with a copy of the configuration in which only places differ: addresses, ports, the folder for files."""

    def __init__(self, main):
        self.plain, self.tls = free_port(), free_port()
        folder = SCRATCH / main.removesuffix(".conf")
        shutil.copytree(GIVEN["configuration"], folder)
        (folder / "tls").mkdir()
        shutil.copy(GIVEN["certificate"], folder / "tls/server.pem")
        shutil.copy(GIVEN["key"], folder / "tls/server.key")
        for file in folder.rglob("*.conf"):
            text = file.read_text()
            text = text.replace("api:8080", GIVEN["api"]).replace("/tmp/nginx", f"{folder}/nginx")
            text = text.replace("listen 8080;", f"listen 127.0.0.1:{self.plain};")
            text = text.replace("listen 8443 ", f"listen 127.0.0.1:{self.tls} ").replace(":8443$", f":{self.tls}$")
            # Our output is a file that belongs to whoever runs the test.
            text = text.replace("/dev/stderr", f"{folder}/error.log").replace("/dev/stdout", f"{folder}/access.log")
            file.write_text(text)
        self.folder = folder
        self.arguments = [*GIVEN["nginx"], "-p", str(folder), "-c", str(folder / main), "-e", f"{folder}/error.log"]

    def __enter__(self):
        checked = subprocess.run([*self.arguments, "-t"], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        log = open(SCRATCH / "nginx.log", "w")
        self.process = subprocess.Popen([*self.arguments, "-g", "daemon off;"], stdout=log, stderr=log)
        wait_for(self.plain, self.process)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)

    def access_lines(self):
        return [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]


def ask(connection, method, path, body=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, dict):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    return answer


def shown(text):
    print(text, flush=True)


def is_problem(answer, status):
    assert answer.status == status, (answer.status, answer.text)
    assert answer.headers["Content-Type"].startswith(PROBLEM), (answer.headers["Content-Type"], answer.text)
    assert json.loads(answer.text)["status"] == status, answer.text


def plain():
    with Edge("nginx.conf") as edge:
        connection = http.client.HTTPConnection("127.0.0.1", edge.plain, timeout=20)
        user = {"name": "Ada", "email": f"ada.{os.getpid()}@example.org"}
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        made = ask(connection, "POST", "/api/v1/users", user, traceparent=trace)
        assert made.status == 201, (made.status, made.text)
        place, tag = made.headers["Location"], made.headers["ETag"]
        assert trace.split("-")[1] in (made.headers["traceparent"] or ""), dict(made.headers)
        shown("a user is created, and the trace is kept")

        path = place[place.index("/api/"):]
        read = ask(connection, "GET", path)
        assert read.status == 200 and json.loads(read.text)["name"] == "Ada", read.text
        assert ask(connection, "GET", path, If_None_Match=tag).status == 304
        is_problem(ask(connection, "GET", path.rsplit("/", 1)[0] + "/no-such-id"), 404)
        is_problem(ask(connection, "DELETE", path), 428)
        assert ask(connection, "DELETE", path, If_Match=tag).status == 204
        shown("entity tags and preconditions pass through in both directions")

        is_problem(ask(connection, "GET", "/api//v1/users"), 404)
        is_problem(ask(connection, "POST", "/api/v1/users", " " * (1024 * 1024 + 1), Content_Type="application/json"), 413)
        shown("a body over the service's limit gets the service's own answer")

        # The edge answers before the body has come; a connection of its own, because it is closed then.
        other = http.client.HTTPConnection("127.0.0.1", edge.plain, timeout=20)
        other.putrequest("POST", "/api/v1/users")
        other.putheader("Content-Length", str(3 * 1024 * 1024))
        other.endheaders()
        answer = other.getresponse()
        answer.text = answer.read().decode()
        is_problem(answer, 413)
        connection = http.client.HTTPConnection("127.0.0.1", edge.plain, timeout=20)
        is_problem(ask(connection, "GET", "/metrics"), 404)
        assert ask(connection, "GET", "/health/ready").status == 200
        shown("the edge's own refusals are problem documents, and metrics stay inside")

        lines = edge.access_lines()
        assert any(line["path"] == "/api/v1/users" and line["status"] == 201 for line in lines), lines
        assert any(line["traceparent"] == trace for line in lines), lines
        shown("every request is a line of JSON")


def encrypted():
    with Edge("nginx-tls.conf") as edge:
        trusted = ssl.create_default_context(cafile=GIVEN["authority"])
        connection = http.client.HTTPSConnection("localhost", edge.tls, timeout=20, context=trusted)
        answer = ask(connection, "GET", "/api/v1/users")
        assert answer.status == 200, answer.text
        assert answer.headers["Strict-Transport-Security"], dict(answer.headers)
        assert connection.sock.version() == "TLSv1.3", connection.sock.version()
        shown("TLS 1.3 with a verified certificate")

        old = ssl.create_default_context(cafile=GIVEN["authority"])
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            with socket.create_connection(("127.0.0.1", edge.tls), timeout=20) as raw:
                old.wrap_socket(raw, server_hostname="localhost")
            raise AssertionError("TLS 1.2 was accepted")
        except ssl.SSLError:
            shown("TLS 1.2 is refused")

        trusted.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("127.0.0.1", edge.tls), timeout=20) as raw:
            with trusted.wrap_socket(raw, server_hostname="localhost") as wrapped:
                assert wrapped.selected_alpn_protocol() == "h2", wrapped.selected_alpn_protocol()
        shown("HTTP/2 is offered")

        connection = http.client.HTTPConnection("localhost", edge.plain, timeout=20)
        answer = ask(connection, "POST", "/api/v1/users?x=%20y", "{}")
        assert answer.status == 308, answer.status
        assert answer.headers["Location"] == f"https://localhost:{edge.tls}/api/v1/users?x=%20y", answer.headers["Location"]
        shown("without TLS a client is sent to it with method and body")

        os.kill(GIVEN["instance"], signal.SIGTERM)
        connection = http.client.HTTPSConnection(
            "localhost", edge.tls, timeout=20, context=ssl.create_default_context(cafile=GIVEN["authority"])
        )
        deadline = time.monotonic() + 60
        while True:
            answer = ask(connection, "GET", "/api/v1/users")
            if answer.status != 200 or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        is_problem(answer, 503)
        assert answer.headers["Retry-After"] and answer.headers["Strict-Transport-Security"], dict(answer.headers)
        shown("an instance that has gone is a 503 with Retry-After")


plain()
encrypted()
