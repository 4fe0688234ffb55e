# SPDX-License-Identifier: Apache-2.0
"""Starts and stops `lanai serve` for tests and talks to it. Python 3 standard library only.

    with lanai.Server() as server:
        api = server.client()
        api.register("blue", "http://127.0.0.1:1234/blue.git")
        api.wait_ready("blue")
        api.create("blue", "web", "w1")

The program is build/release/lanai, or $LANAI, or $LANAI_BUILD/lanai. `lanai.py start --data DIR`
starts one for other languages (spec/lib/server.lua): prints pid, port and file names.
"""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORCH = "/apis/porch.kpt.dev/v1alpha1"
CONFIG = "/apis/config.porch.kpt.dev/v1alpha1"
MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def program():
    named = os.environ.get("LANAI")
    if named:
        return os.path.abspath(named)
    build = os.environ.get("LANAI_BUILD")
    if build and os.path.exists(os.path.join(ROOT, build, "lanai")):
        return os.path.join(ROOT, build, "lanai")
    return os.path.join(ROOT, "build/release/lanai")


def revisions(ns="default"):
    return f"{PORCH}/namespaces/{ns}/packagerevisions"


def resources(ns="default"):
    return f"{PORCH}/namespaces/{ns}/packagerevisionresources"


def repositories(ns="default"):
    return f"{CONFIG}/namespaces/{ns}/repositories"


def end_cleanly():
    """SIGTERM ends the program like an error does: servers that it started end too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class ApiError(Exception):
    def __init__(self, status, body, what):
        message = body.get("message") if isinstance(body, dict) else body
        super().__init__(f"{what}: {status} {message!r}")
        self.status, self.body = status, body


class Client:
    """One keep-alive connection. Not for use by two threads at once."""

    def __init__(self, server, timeout=60, token=None):
        self.server, self.timeout, self.token = server, timeout, token
        self.connection = None
        self.context = ssl.create_default_context(cafile=server.ca)
        if not token:
            self.context.load_cert_chain(server.cert, server.key)

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def connect(self):
        if not self.connection:
            self.connection = http.client.HTTPSConnection(
                "127.0.0.1", self.server.port, timeout=self.timeout, context=self.context)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.connection

    def send(self, method, path, body=None, headers=None):
        """Sends and returns the http.client answer unread: for watches."""
        head = {"Accept": "application/json"}
        if self.token:
            head["Authorization"] = "Bearer " + self.token
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            head["Content-Type"] = "application/json"
        head.update(headers or {})
        try:
            connection = self.connect()
            connection.request(method, path, body, head)
            return connection.getresponse()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def request(self, method, path, body=None, headers=None):
        """Status and body (parsed when JSON). Raises OSError or HTTPException without an answer."""
        try:
            answer = self.send(method, path, body, headers)
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.will_close:
            self.close()
        if "json" in answer.headers.get("Content-Type", ""):
            return answer.status, json.loads(data)
        return answer.status, data

    def ask(self, method, path, body=None, headers=None):
        """The body of a 2xx answer; ApiError for any other."""
        status, data = self.request(method, path, body, headers)
        if not 200 <= status < 300:
            raise ApiError(status, data, f"{method} {path}")
        return data

    # --- the usual things ---

    def register(self, name, url, ns="default", **git):
        return self.ask("POST", repositories(ns), {
            "apiVersion": "config.porch.kpt.dev/v1alpha1", "kind": "Repository",
            "metadata": {"name": name, "namespace": ns},
            "spec": {"type": "git", "content": "Package",
                     "git": dict({"repo": url, "branch": "main", "directory": "/"}, **git)}})

    def condition(self, name, ns="default"):
        body = self.ask("GET", f"{repositories(ns)}/{name}")
        for c in body.get("status", {}).get("conditions") or []:
            if c["type"] == "Ready":
                return c
        return {"status": "Unknown", "reason": "", "message": ""}

    def wait_condition(self, name, good, seconds=60, ns="default"):
        end = time.monotonic() + seconds
        while True:
            c = self.condition(name, ns)
            if good(c):
                return c
            if time.monotonic() > end:
                raise TimeoutError(f"Repository {name}: {c}")
            time.sleep(0.005)

    def wait_ready(self, name, seconds=120, ns="default"):
        return self.wait_condition(name, lambda c: c["status"] == "True", seconds, ns)

    def create(self, repo, package, workspace, ns="default", task=None):
        return self.ask("POST", revisions(ns), {
            "apiVersion": "porch.kpt.dev/v1alpha1", "kind": "PackageRevision",
            "metadata": {"namespace": ns},
            "spec": {"repository": repo, "packageName": package, "workspaceName": workspace,
                     "lifecycle": "Draft",
                     "tasks": [task or {"type": "init", "init": {"description": "test"}}]}})

    def files(self, name, ns="default"):
        return self.ask("GET", f"{resources(ns)}/{name}")

    def save(self, name, files, ns="default"):
        """Adds these files to the package; returns the answer."""
        body = self.files(name, ns)
        body["spec"]["resources"].update(files)
        return self.ask("PUT", f"{resources(ns)}/{name}", body)

    def lifecycle(self, name, value, ns="default", approval=False):
        path = f"{revisions(ns)}/{name}" + ("/approval" if approval else "")
        return self.ask("PATCH", path, {"spec": {"lifecycle": value}}, {"Content-Type": MERGE})

    def propose(self, name, ns="default"):
        return self.lifecycle(name, "Proposed", ns)

    def approve(self, name, ns="default"):
        return self.lifecycle(name, "Published", ns, approval=True)


class Server:
    """`lanai serve` on a data directory of its own (removed at the end when it was made here)."""

    def __init__(self, data=None, args=(), env=None, wrap=(), port=0):
        self.made = data is None
        self.data = data or tempfile.mkdtemp(prefix="lanai-")
        self.args, self.wrap, self.env = list(args), list(wrap), env
        self.port, self.process, self.log_from = port, None, 0
        self.log = os.path.join(self.data, "server.log")
        if not os.access(self.data, os.W_OK):
            self.log = os.devnull
        self.ca, self.cert, self.key = (os.path.join(self.data, "client-" + n)
                                        for n in ("ca.crt", "admin.crt", "admin.key"))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()

    def start(self, seconds=30, wait=True):
        if self.alive():
            raise RuntimeError("it runs already")
        marker = os.path.join(self.data, "address")
        before = os.stat(marker).st_mtime_ns if os.path.exists(marker) else 0
        command = self.wrap + [program(), "serve", "--data", self.data, "--port", str(self.port)]
        with open(self.log, "ab") as log:
            self.log_from = log.tell()
            self.process = subprocess.Popen(command + self.args, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log,
                                            env=dict(os.environ, **(self.env or {})))
        if wait:
            self.wait(marker, before, seconds)
        return self

    def wait(self, marker, before, seconds):
        end = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"lanai ended with {self.process.returncode}: {self.tail()}")
            if os.path.exists(marker) and os.stat(marker).st_mtime_ns != before:
                break
            if time.monotonic() > end:
                raise TimeoutError("lanai does not come up: " + self.tail())
            time.sleep(0.002)
        with open(marker) as f:
            self.port = int(f.read().strip().rsplit(":", 1)[1])
        self.extract()
        client = self.client()
        while client.request("GET", "/readyz")[0] not in (200, 401):  # 401: it is at work
            if time.monotonic() > end:
                raise TimeoutError("lanai does not get ready: " + self.tail())
            time.sleep(0.002)
        client.close()

    def extract(self):
        with open(os.path.join(self.data, "kubeconfig")) as f:
            text = f.read()
        for path, member in ((self.ca, "certificate-authority-data"),
                             (self.cert, "client-certificate-data"),
                             (self.key, "client-key-data")):
            found = re.search(member + r":\s*\"?([A-Za-z0-9+/=]+)", text)
            with open(path, "wb") as out:
                out.write(base64.b64decode(found.group(1)))

    @property
    def kubeconfig(self):
        return os.path.join(self.data, "kubeconfig")

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def client(self, timeout=60, token=None):
        """With the administrator's certificate, or with a bearer token."""
        return Client(self, timeout, token)

    def token(self, user="admin", group="system:masters"):
        done = subprocess.run([program(), "token", "create", "--user", user, "--group", group,
                               "--data", self.data], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"token create: {done.stderr}")
        return done.stdout.strip()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def tail(self, lines=15):
        """The last lines that this start has logged."""
        try:
            with open(self.log, errors="replace") as f:
                f.seek(self.log_from)
                return "".join(f.readlines()[-lines:])
        except OSError:
            return ""

    def end(self, how=signal.SIGTERM, seconds=30):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return self.process.returncode if self.process else None

    def kill(self):
        return self.end(signal.SIGKILL)

    def remove(self):
        try:
            self.end()
        finally:
            if self.made:
                shutil.rmtree(self.data, ignore_errors=True)

    def memory(self):
        """VmRSS, RssAnon and VmHWM in MiB."""
        return memory(self.process.pid)


def memory(pid):
    with open(f"/proc/{pid}/status") as f:
        found = dict(re.findall(r"^(VmRSS|RssAnon|VmHWM):\s+(\d+) kB", f.read(), re.M))
    return {k: int(v) / 1024 for k, v in found.items()}


class Git:
    """spec/wire/git_http.py on a directory of bare repositories."""

    def __init__(self, root=None):
        self.made = root is None
        self.root = root or tempfile.mkdtemp(prefix="lanai-git-")
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "spec/wire/git_http.py"), "--root", self.root],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if self.made:
            shutil.rmtree(self.root, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.root, name + ".git")

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}.git"

    def make(self, name):
        """A bare repository with one commit on main; returns its URL."""
        git("init", "-q", "--bare", "-b", "main", self.path(name))
        git("-C", self.path(name), "fast-import", "--quiet", input="\n".join((
            "commit refs/heads/main", "committer t <t@example.com> 1700000000 +0000",
            "data 5", "start", "M 100644 inline README.md", "data 5", "hello", "")))
        return self.url(name)

    def fault(self, kind, name=None):
        """Switches a fault on: "silent", "slow-2", "500"."""
        open(self.fault_path(kind, name), "w").close()

    def heal(self, kind, name=None):
        os.unlink(self.fault_path(kind, name))

    def fault_path(self, kind, name):
        return os.path.join(self.path(name) if name else self.root, ".fault-" + kind)

    def refs(self, name):
        out = git("-C", self.path(name), "for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split() for line in out.splitlines())


def git(*args, input=None):
    env = dict(os.environ, GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="t", GIT_COMMITTER_NAME="t",
               GIT_AUTHOR_EMAIL="t@example.com", GIT_COMMITTER_EMAIL="t@example.com",
               GIT_TERMINAL_PROMPT="0")
    done = subprocess.run(["git", *args], capture_output=True, text=True, input=input, env=env)
    if done.returncode:
        raise RuntimeError(f"git {' '.join(args)}: {done.stderr}")
    return done.stdout


def main():
    if len(sys.argv) < 4 or sys.argv[1:3] != ["start", "--data"]:
        sys.exit("usage: lanai.py start --data DIR [FLAG...]")
    server = Server(data=os.path.abspath(sys.argv[3]), args=sys.argv[4:])
    try:
        server.start()
    except (RuntimeError, TimeoutError) as e:
        sys.exit(str(e))
    print(server.process.pid, server.port, server.ca, server.cert, server.key, sep="\n")


if __name__ == "__main__":
    main()
