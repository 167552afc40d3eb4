"""The lab comes up, counts, goes down, and says in one line what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from real_client import curl, s_client

from atsprobe.lab import nginx, processes
from atsprobe.lab.nginx_config import CONFIG_FILE
from atsprobe.lab.problem import LabProblem
from atsprobe.lab.servers import SERVERS
from atsprobe.pipelines.lab import lab_down, lab_list, lab_render, lab_up

ROOT = Path(__file__).parents[2]


@pytest.fixture
def base_port() -> int:
    """A run of 200 ports of which the first is free, away from those of the session's lab."""
    return 11000 + os.getpid() % 40 * 200


@pytest.fixture
def directory(tmp_path):
    """Where a test may bring a lab up; it is down again afterwards."""
    yield tmp_path / "lab"
    nginx.down(tmp_path / "lab")


@pytest.mark.lab
def test_up_list_down(directory, base_port):
    """A lab can be started, is listed as up with its own ports, answers, and is gone after `down`."""
    result = lab_up(directory, base_port)
    assert result.is_up
    assert [e.port for e in result.endpoints] == [base_port + s.offset for s in SERVERS]
    assert lab_list(directory) == result
    socket.create_connection(("127.0.0.1", base_port), timeout=5).close()
    with pytest.raises(LabProblem, match="up already"):
        lab_up(directory, base_port)
    with pytest.raises(LabProblem, match="up already"):
        lab_render(directory)
    assert lab_down(directory)
    assert not lab_down(directory)
    assert not lab_list(directory).is_up
    for offset in (0, 22):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", base_port + offset), timeout=5)


@pytest.mark.lab
def test_what_one_process_starts_another_stops(directory, base_port):
    """The lab outlives the command that started it."""
    script = f"from atsprobe.pipelines.lab import lab_up; lab_up({str(directory)!r}, {base_port})"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert lab_list(directory).is_up
    assert lab_down(directory)
    assert not lab_list(directory).is_up


@pytest.mark.lab
def test_a_taken_port_is_named_at_once(directory, base_port):
    """Nothing is started when one port is taken, and the line says which."""
    with socket.create_server(("127.0.0.1", base_port + 9)):
        began = time.monotonic()
        with pytest.raises(
            LabProblem, match=f"port {base_port + 9} on 127.0.0.1 is taken, which rsa1024 needs"
        ) as problem:
            lab_up(directory, base_port)
        assert time.monotonic() - began < 2
    assert "--base-port" in problem.value.hint
    assert not directory.exists()


def test_a_missing_nginx_says_what_to_install(directory, monkeypatch):
    """The hint is a command."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(nginx, "_SBIN", ())
    with pytest.raises(LabProblem, match="nginx is not installed") as problem:
        lab_up(directory)
    assert "apt install nginx" in problem.value.hint


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    """Nobody's files are overwritten."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LabProblem, match="something else"):
        lab_render(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(LabProblem, match="no directory"):
        lab_render(tmp_path / "thesis.txt")


def test_impossible_ports_are_refused(directory):
    """Every port of the lab has to fit."""
    for base_port in (-1, 0, 65500, 70000):
        with pytest.raises(LabProblem, match="no base port"):
            lab_render(directory, base_port=base_port)
        with pytest.raises(LabProblem, match=r"nginx is not installed|no base port"):
            lab_up(directory, base_port)


def test_a_folder_that_cannot_be_written_is_one_line():
    """The system's reason is passed on."""
    with pytest.raises(LabProblem, match="cannot be written"):
        lab_render("/proc/lab")


def test_listing_needs_no_lab(tmp_path):
    """The truth table can be read before anything is started."""
    result = lab_list(tmp_path / "lab")
    assert not result.is_up
    assert result.endpoints[0].port == 20443
    assert not (tmp_path / "lab").exists()


def test_rendering_writes_what_a_client_needs(directory):
    """One target an endpoint; every host and port of a target has its line in resolve.txt."""
    result = lab_render(directory, for_compose=True)
    targets = (directory / "targets.txt").read_text().split()
    resolve = (directory / "resolve.txt").read_text().split()
    assert len(targets) == len(result.endpoints) == len(SERVERS)
    places = {line.rpartition(":")[0] for line in resolve}
    assert {t.removeprefix("http://").rstrip("/") for t in targets} == places
    assert "two-addresses.lab.example.com:20479:127.0.0.1,127.0.0.2" in resolve
    assert Path(result.ca_file).read_text().count("BEGIN CERTIFICATE") == 2
    assert (directory / "run").is_dir()


@pytest.mark.lab
def test_a_stale_pid_file_stops_nobody(directory, base_port):
    """A pid that now belongs to another program is left alone."""
    lab_render(directory, base_port=base_port)
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (directory / "run/nginx.pid").write_text(f"{bystander.pid}\n")
        assert not lab_down(directory)
        assert bystander.poll() is None
        bystander.terminate()


@pytest.mark.lab
def test_a_killed_nginx_counts_as_down(directory, base_port):
    """SIGKILL leaves the pid file behind; the lab is not listed as up then."""
    lab_up(directory, base_port)
    pid = int((directory / "run/nginx.pid").read_text())
    os.killpg(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while lab_list(directory).is_up and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not lab_list(directory).is_up
    lab_down(directory)
    lab_up(directory, base_port)  # the odd servers of the first run are gone too
    assert lab_list(directory).is_up


@pytest.mark.lab
def test_connections_are_counted_whatever_becomes_of_them(directory, base_port):
    """Handshakes done and refused, requests, bare connects and resets count once each, on their own port."""

    class Started:
        ca_file, port, server = (
            directory / "ca.pem",
            staticmethod(lambda n: base_port + row(n).offset),
            staticmethod(row),
        )

    lab_up(directory, base_port)
    assert set(nginx.connections(directory).values()) == {0}
    assert s_client(Started, "modern") is not None
    assert s_client(Started, "modern", "-tls1_1") is None
    assert curl(Started, "modern")
    assert curl(Started, "modern", "-H", "Connection: close")
    assert curl(Started, "plain")
    socket.create_connection(("127.0.0.1", base_port), timeout=5).close()
    with socket.create_connection(("127.0.0.1", base_port), timeout=5) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    counts = settled(directory, {base_port: 6, base_port + row("plain").offset: 1})
    assert {port: n for port, n in counts.items() if n} == {base_port: 6, base_port + row("plain").offset: 1}


@pytest.mark.lab
def test_a_lab_of_copies_serves_each_of_them(directory, base_port):
    """Copies answer on their own addresses under their own names, and a port counts the connections of all its copies."""
    nginx.up(directory, nginx.clones(["modern", "static-rsa"], 12, base_port))
    lines = (directory / "resolve.txt").read_text().split()
    assert len(lines) == 12
    for line in lines:
        host, port, address = line.split(":")
        options = ["--resolve", f"{host}:{port}:{address}", "--cacert", str(directory / "ca.pem"), "--noproxy", "*"]
        command = ["curl", "-s", "-f", "-m", "10", *options, f"https://{host}:{port}/"]
        assert subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout == "ok\n"
    expected = {base_port: 6, base_port + row("static-rsa").offset: 6}
    assert settled(directory, expected) == expected


@pytest.mark.lab
def test_the_configuration_for_containers_is_served_as_well(directory, base_port):
    """nginx takes the very file that the compose file mounts, and serves both addresses of a host from two ports."""
    lab_render(directory, for_compose=True, base_port=base_port)
    command = [nginx.find_nginx(), "-p", f"{directory}/", "-c", str(directory / CONFIG_FILE), "-e", "stderr"]
    subprocess.run([*command, "-t"], check=True, timeout=30, capture_output=True)
    processes.start(command, directory / "run/nginx.pid", directory / "run/nginx.out")
    first = base_port + row("two-addresses").offset
    suites = []
    for port in (first, first + 100):
        connect = ["openssl", "s_client", "-brief", "-connect", f"127.0.0.1:{port}"]
        done = subprocess.run(
            connect, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
        suites += [
            line.split()[-1] for line in (done.stdout + done.stderr).splitlines() if line.startswith("Ciphersuite")
        ]
    assert suites == ["TLS_AES_256_GCM_SHA384", "AES256-GCM-SHA384"]


def test_the_compose_file_at_the_top_is_the_one_that_is_rendered():
    """docker-compose.yml never drifts from the truth table."""
    from atsprobe.lab.compose import compose_file

    written = (ROOT / "docker-compose.yml").read_text()
    assert written == compose_file(SERVERS, 20443, folder="./lab", rendered="lab")


def test_compose_files_follow_the_specification(directory):
    """Both compose files validate against the schema of the Compose specification."""
    lab_render(directory)
    files = [str(ROOT / "docker-compose.yml"), str(directory / "docker-compose.yml")]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_containers_publish_on_loopback_and_never_the_port_that_refuses():
    """No weak server is to be had from another machine; a published port without a server would accept connections."""
    published = [
        line.strip('- "\n') for line in (ROOT / "docker-compose.yml").read_text().splitlines() if "127.0.0" in line
    ]
    assert published
    ports: set[int] = set()
    for line in published:
        address, outer, _ = line.split(":")
        assert address.startswith("127.0.0.")
        first, _, last = outer.partition("-")
        ports.update(range(int(first), int(last or first) + 1))
    assert ports == {20443 + s.offset for s in SERVERS if s.listeners}


def test_a_broken_state_file_is_no_lab(directory):
    """What cannot be read counts as absent."""
    directory.mkdir()
    for text in ("", "[]", '{"base_port": "x"}', json.dumps({"other": 1})):
        (directory / "lab.json").write_text(text)
        assert nginx.base_port_of(directory) is None


def row(name: str):
    """Give a row of the truth table."""
    return next(s for s in SERVERS if s.name == name)


def settled(directory, expected: dict[int, int]) -> dict[int, int]:
    """Wait until the last connections have ended and been logged."""
    deadline = time.monotonic() + 10
    while (counts := nginx.connections(directory)) != expected and time.monotonic() < deadline:
        if {p: n for p, n in counts.items() if n} == expected:
            break
        time.sleep(0.05)
    return counts
