# SPDX-License-Identifier: Apache-2.0
"""What the benches share: systems with N revisions, the measuring client, the floors, rows.

A bench is benches/bench_NAME.py with run(bench). It takes a World from bench.world(n), measures
with world.measure(...) and hands in rows with bench.row(...). Times are milliseconds.
"""
import json
import os
import shutil
import subprocess
import tempfile
import time

import lanai
import load

JSON_TYPE = ["-H", "Content-Type: application/json"]
MERGE_TYPE = ["-H", "Content-Type: application/merge-patch+json"]


class Sample:
    """Times of one measurement in ms."""

    def __init__(self, raw):
        self.raw = raw
        self.p50, self.p99 = raw["p50_us"] / 1e3, raw["p99_us"] / 1e3
        self.head50, self.head99 = raw.get("head50_us", 0) / 1e3, raw.get("head99_us", 0) / 1e3
        self.seconds, self.bytes = raw.get("seconds", 0), raw.get("bytes", 0)


def percentiles(times):
    """Sample of a list of seconds."""
    times = sorted(times)
    return Sample({"p50_us": times[len(times) // 2] * 1e6,
                   "p99_us": times[int((len(times) - 1) * 0.99)] * 1e6, "seconds": sum(times)})


def timed(call, *args, **named):
    began = time.perf_counter()
    result = call(*args, **named)
    return time.perf_counter() - began, result


def run_tool(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{os.path.basename(command[0])}: {done.stderr.strip()}")
    return done.stdout


class World:
    """A server, a git server, and the repository "load" with n tagged revisions registered."""

    def __init__(self, bench, n):
        self.bench, self.n = bench, n
        self.serial = 0
        self.git = lanai.Git()
        try:
            self.server = lanai.Server()
            load.make(self.git.path("load"), n)
            self.server.start()
            self.api = self.server.client(timeout=300)
            self.first_sync, _ = timed(self.register, "load", self.git.url("load"))
        except BaseException:
            self.close()
            raise

    def register(self, name, url, seconds=600):
        self.api.register(name, url)
        return self.api.wait_ready(name, seconds)

    def close(self):
        try:
            self.server.remove()
        finally:
            self.git.remove()

    # --- measuring ---

    def measure(self, path, n=1, method="GET", body=None, headers=(), connections=1, first=0,
                watch=False, out=None, may_fail=False):
        """Sends n requests; {n} in path and body counts from `first`."""
        command = [self.bench.tool("client"), "--port", str(self.server.port), "--ca",
                   self.server.ca, "--cert", self.server.cert, "--key", self.server.key,
                   "-X", method, "-n", str(n), "-s", str(first), "-c", str(connections)]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            if body is not None:
                f.write(body if isinstance(body, str) else json.dumps(body))
                f.flush()
                command += ["-d", f.name]
            command += list(headers) + (["--watch"] if watch else []) + (["-o", out] if out else [])
            raw = json.loads(run_tool(command + [path]))
        if raw["bad"] and not may_fail:
            status, answer = self.api.request(method, path.replace("{n}", str(first)),
                                              None if body is None else
                                              json.dumps(body).replace("{n}", str(first)),
                                              header_map(headers))
            raise RuntimeError(f"{raw['bad']} of {n} answers to {method} {path} were "
                               f"{raw['bad_status']}; asked again: {status} {str(answer)[:300]}")
        return Sample(raw)

    def take(self, n):
        """The first of n numbers that no package of this world has used yet."""
        self.serial += n
        return self.serial - n

    # --- steps of a package's life, n packages at once, numbered from first ---

    def create(self, n, first, connections=1):
        return self.measure(lanai.revisions(), n, "POST", new_revision("new-{n}", "w"), JSON_TYPE,
                            connections, first)

    def patch(self, name, value, n, first, connections=1, approval=False):
        path = f"{lanai.revisions()}/{name}" + ("/approval" if approval else "")
        return self.measure(path, n, "PATCH", {"spec": {"lifecycle": value}}, MERGE_TYPE,
                            connections, first)

    def propose(self, n, first, connections=1):
        return self.patch("load.new-{n}.w", "Proposed", n, first, connections)

    def approve(self, n, first, connections=1):
        return self.patch("load.new-{n}.w", "Published", n, first, connections, True)

    def drafts(self, n):
        first = self.take(n)
        self.create(n, first, 4)
        return first

    def proposals(self, n):
        first = self.drafts(n)
        self.propose(n, first, 4)
        return first

    def published(self, n):
        first = self.proposals(n)
        self.approve(n, first, min(n, 50))
        return first


def header_map(headers):
    return dict(h.split(": ", 1) for h in headers if h != "-H")


def new_revision(package, workspace, task=None):
    return {"apiVersion": "porch.kpt.dev/v1alpha1", "kind": "PackageRevision",
            "metadata": {"namespace": "default"},
            "spec": {"repository": "load", "packageName": package, "workspaceName": workspace,
                     "lifecycle": "Draft",
                     "tasks": [task or {"type": "init", "init": {"description": "bench"}}]}}


class Bench:
    def __init__(self, tools, size, show):
        self.tools, self.size, self.show = tools, size, show
        self.rows, self.worlds = [], {}
        self.scratch = tempfile.mkdtemp(prefix="lanai-bench-")

    def close(self):
        self.reset()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def reset(self):
        """Ends all worlds: the next bench gets fresh ones."""
        while self.worlds:
            self.worlds.popitem()[1].close()

    def tool(self, name):
        return os.path.join(self.tools, "bench_" + name)

    def world(self, n=None):
        n = n or self.size
        if n not in self.worlds:
            self.worlds[n] = World(self, n)
        return self.worlds[n]

    def drop(self, n):
        self.worlds.pop(n).close()

    def row(self, name, sample, floor=None, unit="ms", wanted="", note="", ratio=None):
        """One line of the result. sample: Sample or a number; floor likewise."""
        p50, p99 = (sample.p50, sample.p99) if isinstance(sample, Sample) else (sample, None)
        base = floor.p50 if isinstance(floor, Sample) else floor
        if ratio is None and base:
            ratio = p50 / base
        row = {"name": name, "p50": p50, "p99": p99, "unit": unit, "floor": base, "ratio": ratio,
               "wanted": wanted, "note": note}
        self.rows.append(row)
        self.show(row)
        return row

    # --- floors ---

    def floor_commit(self, n=300):
        return Sample(json.loads(run_tool([self.tool("floor_sqlite"), self.scratch, str(n)])))

    def floor_get(self, world, path, n, headers=()):
        """A bare TLS GET of the bytes that the server answers to path."""
        body = os.path.join(self.scratch, "body")
        world.measure(path, headers=headers, out=body)
        pki = os.path.join(world.server.data, "pki")
        floor = subprocess.Popen([self.tool("floor_tls"), os.path.join(pki, "server.crt"),
                                  os.path.join(pki, "server.key"), os.path.join(pki, "ca.crt"),
                                  body], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            port = floor.stdout.readline().strip()
            return Sample(json.loads(run_tool(
                [self.tool("client"), "--port", port, "--ca", world.server.ca, "--cert",
                 world.server.cert, "--key", world.server.key, "-n", str(n), "/"])))
        finally:
            floor.stdin.close()
            floor.wait()
            floor.stdout.close()

    def floor_git(self, n, *words, prepare=None):
        """n runs of a git command; prepare(i) gives further words."""
        times = []
        for i in range(n):
            more = prepare(i) if prepare else ()
            times.append(timed(lanai.git, *words, *more)[0])
        return percentiles(times)
