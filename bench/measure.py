#!/usr/bin/env python3
"""Measures refrain against `ssh HOST true` and against itself at two sizes; see README.md.

Everything runs on this machine: an sshd of its own on a free port of 127.0.0.1, with its own keys. What is compared is run
alternately, round by round, because the machine's speed drifts; the ratios count, not the milliseconds.
"""

import argparse
import contextlib
import os
import pwd
import queue
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import base50

HERE = Path(__file__).resolve().parent


class Sshd:
    """An sshd on a free port, with keys and known_hosts in a directory of its own."""

    def __init__(self, directory: Path):
        self.directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (directory / "home").mkdir(mode=0o700)
        for name in ("host", "user"):
            keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
            subprocess.run(keygen, check=True)
        (directory / "authorized_keys").write_text((directory / "user.pub").read_text())
        key = (directory / "host.pub").read_text().split()
        (directory / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key[0]} {key[1]}\n")
        (directory / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {directory}/host\nPidFile none\n"
            f"AuthorizedKeysFile {directory}/authorized_keys\nStrictModes no\nUsePAM no\nMaxStartups 200\n"
            # A home of its own: whatever this machine's login shells read would be measured along, on both sides.
            f"SetEnv HOME={directory}/home\n"
        )
        os.makedirs("/run/sshd", exist_ok=True)
        program = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([program, "-D", "-e", "-f", str(directory / "sshd_config")], stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        sys.exit("sshd did not start")

    def client(self, *options: str) -> list[str]:
        """`ssh HOST true` with OpenSSH's defaults, as far as the keys allow."""
        return [
            "ssh", "-F", "none", "-p", str(self.port), "-i", str(self.directory / "user"),
            "-o", f"UserKnownHostsFile={self.directory}/known_hosts", "-o", "IdentitiesOnly=yes", *options,
            "127.0.0.1", "true",
        ]

    def inventory(self, project: Path, port: int) -> str:
        """Writes an inventory with this machine in it, reached through a port, into a project."""
        user = pwd.getpwuid(os.getuid()).pw_name
        hosts = project / "hosts"
        hosts.write_text(
            f"box ansible_host=127.0.0.1 ansible_port={port} ansible_user={user} "
            f"ansible_ssh_private_key_file={self.directory}/user\n"
        )
        return str(hosts)


class SlowLine:
    """Passes on connections to a port of 127.0.0.1, every byte late by a delay in each direction."""

    def __init__(self, port: int, delay: float):
        self.delay = delay
        self.server = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.server))
            for near, far in ((client, server), (server, client)):
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.carry(near, far)

    def carry(self, near: socket.socket, far: socket.socket) -> None:
        pieces: queue.Queue = queue.Queue()

        def take() -> None:
            while piece := near.recv(65536):
                pieces.put((time.perf_counter() + self.delay, piece))
            pieces.put((0, b""))

        def give() -> None:
            while True:
                due, piece = pieces.get()
                time.sleep(max(0, due - time.perf_counter()))
                if not piece:
                    return far.shutdown(socket.SHUT_WR)
                far.sendall(piece)

        def until_it_ends(work: Callable[[], None]) -> None:
            # One of the two ends goes first.
            with contextlib.suppress(OSError):
                work()

        for work in (take, give):
            threading.Thread(target=until_it_ends, args=(work,), daemon=True).start()


def timed(command: list[str], environment: dict[str, str], directory: Path) -> float:
    """Seconds that a command takes; it has to succeed."""
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout.decode()}\n{done.stderr.decode()}")
    return seconds


def compare(title: str, commands: dict[str, list[str]], rounds: int, environment: dict[str, str], directory: Path) -> None:
    """Runs commands alternately and prints a table; the first one is what the others are held against."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(timed(command, environment, directory))
    first = statistics.median(next(iter(seconds.values())))
    print(f"\n{title}\n")
    print("| command | min ms | median ms | max ms | ratio |\n| --- | --- | --- | --- | --- |")
    for name, values in seconds.items():
        middle = statistics.median(values)
        print(f"| {name} | {min(values) * 1e3:.1f} | {middle * 1e3:.1f} | {max(values) * 1e3:.1f} | {middle / first:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("refrain", type=Path, help="the release build")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", help="one of ssh, slow, local, matrix, inventory, scale")
    arguments = parser.parse_args()
    refrain = str(arguments.refrain.resolve())
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary)
        top.chmod(0o755)
        home = top / "home"
        (home / ".ssh").mkdir(parents=True, mode=0o700)
        environment = {**os.environ, "HOME": str(home)}
        environment.pop("SSH_AUTH_SOCK", None)
        if arguments.only in (None, "ssh"):
            over_ssh(refrain, top, home, environment, arguments.rounds)
        if arguments.only in (None, "slow"):
            slowly(refrain, top, home, environment, arguments.rounds)
        if arguments.only in (None, "local"):
            locally(refrain, top, environment, arguments.rounds)
        if arguments.only in (None, "matrix") and os.getuid() == 0:
            matrix(refrain, top, environment, arguments.rounds)
        if arguments.only in (None, "inventory"):
            inventory(refrain, top, environment, arguments.rounds)
        if arguments.only in (None, "scale"):
            scale(refrain, top, environment)


def over_ssh(refrain: str, top: Path, home: Path, environment: dict[str, str], rounds: int) -> None:
    directory = top / "sshd"
    directory.mkdir()
    sshd = Sshd(directory)
    try:
        shutil.copy(directory / "known_hosts", home / ".ssh" / "known_hosts")
        commands = {
            "`ssh HOST true`, OpenSSH's defaults": sshd.client(),
            "`ssh HOST true`, curve25519": sshd.client("-o", "KexAlgorithms=curve25519-sha256"),
        }
        for tasks in (50, 500):
            project = top / f"ssh{tasks}"
            playbook = base50.make(project, str(top / f"target-ssh{tasks}"), tasks)
            command = [refrain, "run", str(playbook), "-i", sshd.inventory(project, sshd.port)]
            timed(command, environment, project)
            commands[f"refrain, {tasks} tasks, converged"] = command
        compare("Over SSH, on loopback", commands, rounds, environment, top)
    finally:
        sshd.process.terminate()
        sshd.process.wait()


def slowly(refrain: str, top: Path, home: Path, environment: dict[str, str], rounds: int) -> None:
    """50 converged tasks on a line of 20 ms in each direction, evaluated on the host and on the controller."""
    directory = top / "slow"
    directory.mkdir()
    sshd = Sshd(directory)
    try:
        line = SlowLine(sshd.port, 0.020)
        key = (directory / "host.pub").read_text()
        (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{line.port} {key}")
        commands = {}
        for placement in ("host", "controller"):
            project = top / f"slow-{placement}"
            playbook = base50.make(project, str(top / f"target-{placement}"), 50, placement)
            command = [refrain, "run", str(playbook), "-i", sshd.inventory(project, line.port)]
            timed(command, environment, project)
            commands[f"refrain, 50 tasks, converged, evaluated on the {placement}"] = command
        compare("Over SSH, 20 ms in each direction", commands, rounds, environment, top)
    finally:
        sshd.process.terminate()
        sshd.process.wait()


def locally(refrain: str, top: Path, environment: dict[str, str], rounds: int) -> None:
    commands = {"`true`": ["true"]}
    for tasks in (50, 500):
        project = top / f"local{tasks}"
        playbook = base50.make(project, str(top / f"target-local{tasks}"), tasks)
        command = [refrain, "run", str(playbook), "-i", "localhost,", "-c", "local"]
        timed(command, environment, project)
        commands[f"refrain, {tasks} tasks, local, converged"] = command
        if os.getuid() == 0:
            root = top / f"root{tasks}"
            root.mkdir()
            inside = top / f"chroot{tasks}"
            playbook = base50.make(inside, "/target", tasks)
            command = [refrain, "run", str(playbook), "-i", "localhost,", "--root", str(root)]
            timed(command, environment, inside)
            commands[f"refrain, {tasks} tasks, chroot, converged"] = command
    compare("Local and chroot, the whole process", commands, rounds, environment, top)


def matrix(refrain: str, top: Path, environment: dict[str, str], rounds: int) -> None:
    """The playbooks of the Matrix on a root that they have converged. It is made in a sandbox, where its programs are simulated."""
    project = HERE.parent
    boxes = top / "boxes"
    # The machine's own address depends on the machine: it may have none.
    run = [refrain, "run", "--limit", "node1", "-e", "nomad_advertise_address=192.0.2.11"]
    for playbook in ("base.setup", "base", "nomad"):
        sandbox = [*run, f"playbooks/{playbook}.rhai", "-c", "sandbox", "--root", str(boxes)]
        timed(sandbox, environment, project)
    root = str(boxes / "node1" / "root")
    # A sandbox only notes the owners and modes. Those of a home are looked at before anything is set.
    admin = next(line.split(":") for line in Path(root, "etc/passwd").read_text().splitlines() if line.startswith("admin:"))
    subprocess.run(["chown", "-R", f"{admin[2]}:{admin[3]}", f"{root}{admin[5]}"], check=True)
    command = [*run, "playbooks/base.rhai", "playbooks/nomad.rhai", "--root", root, "--root-kind", "offline"]
    timed(command, environment, project)
    compare("The Matrix, chroot, the whole process", {"`true`": ["true"], "base + nomad, converged": command}, rounds, environment, project)


def inventory(refrain: str, top: Path, environment: dict[str, str], rounds: int) -> None:
    """10,000 hosts in 200 groups with variables: what is needed of them before any is reached."""
    project = top / "inventory"
    playbook = base50.make_large(project)
    hosts = ["-i", str(project / "inventory")]
    commands = {
        "`true`": ["true"],
        "refrain run --list-hosts": [refrain, "run", str(playbook), "--list-hosts", *hosts],
        "refrain run --list-hosts --limit": [refrain, "run", str(playbook), "--list-hosts", "--limit", "group7:&site3", *hosts],
        "refrain vars HOST": [refrain, "vars", "node5000", *hosts],
        "refrain inventory --list": [refrain, "inventory", "--list", *hosts],
    }
    compare("10,000 hosts in 200 groups", commands, rounds, environment, project)
    if shutil.which("ansible-inventory"):
        # It takes the better part of a minute.
        seconds = timed(["ansible-inventory", "--list", *hosts], environment, project)
        print(f"\n`ansible-inventory --list`, once: {seconds:.1f} s")


def scale(refrain: str, top: Path, environment: dict[str, str]) -> None:
    """One host with many tasks, many hosts with few: twice the work must not take much more than twice the time."""
    print("\nSize\n\n| what | seconds | converged again |\n| --- | --- | --- |")
    for tasks in (5_000, 10_000):
        project = top / f"tasks{tasks}"
        playbook = base50.make(project, str(top / f"target-tasks{tasks}"), tasks)
        command = [refrain, "run", str(playbook), "-i", "localhost,", "-c", "local"]
        first, again = (timed(command, environment, project) for _ in range(2))
        print(f"| {tasks} tasks, local | {first:.2f} | {again:.2f} |")
    for hosts in (500, 1_000):
        project = top / f"hosts{hosts}"
        playbook = base50.make(project, "/target", 50)
        (project / "hosts").write_text(f"node[1:{hosts}]\n")
        command = [refrain, "run", str(playbook), "-i", str(project / "hosts"), "-c", "sandbox", "--root", str(project / "boxes")]
        first, again = (timed(command, environment, project) for _ in range(2))
        print(f"| 50 tasks on {hosts} sandbox hosts | {first:.2f} | {again:.2f} |")
    for hosts in (500, 1_000):
        project = top / f"variables{hosts}"
        playbook = base50.make_reading(project, hosts)
        command = [refrain, "run", str(playbook), "-i", str(project / "inventory"), "-c", "sandbox", "--root", str(project / "boxes")]
        first, again = (timed(command, environment, project) for _ in range(2))
        print(f"| a few of 200 variables on {hosts} sandbox hosts | {first:.2f} | {again:.2f} |")


if __name__ == "__main__":
    main()
