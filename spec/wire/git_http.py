#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves bare repositories over smart HTTP on loopback: git http-backend behind a threaded server.

usage: git_http.py ROOT|--root ROOT [--port N] [--user NAME --password SECRET | --token SECRET] [--tls CERT KEY]
                   [--redirect URL] [--log FILE]

Prints "<port>" on its own line when it listens. Faults are chosen by the first path segment, so one
server shows them all:  /slow-N/repo.git (N milliseconds before every answer),  /silent/… (accepts
and never answers),  /stall/… (sends the head and a few bytes, then nothing),  /error-500/…,
/error-post-500/… (only POST),  /lost/… (does what a push asks, and closes without an answer),
/lost-once/… (the first one only),  /cut/… (closes in the middle of the answer),
/once-500/… (the first request fails, later ones work),  /redirect/… (302 to --redirect + rest).

As an HTTP proxy it answers for every host.

Faults that come and go under one URL are files, looked at on each request, in ROOT (for all
repositories) or ROOT/repo.git (for that one): .fault-silent, .fault-slow-SECONDS, .fault-500,
.fault-cut, .fault-post-500 (only POST), .fault-lost-down (does the next push, does not answer, and
becomes .fault-503).

ROOT/repo.git with a file .public can be fetched from without a password.
"""
import argparse
import base64
import http.server
import os
import socketserver
import ssl
import subprocess
import threading
import time
import urllib.parse

FAULTS = ("slow-", "silent", "stall", "error-", "cut", "once-", "redirect", "lost")


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("root", nargs="?")
    p.add_argument("--root", dest="root_flag")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--user")
    p.add_argument("--password", default="")
    p.add_argument("--token")
    p.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    p.add_argument("--redirect", default="")
    p.add_argument("--log")
    options = p.parse_args()
    options.root = options.root or options.root_flag
    if not options.root:
        p.error("ROOT is missing")
    options.root = os.path.abspath(options.root)
    return options


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes
    options = None
    failed_once = set()
    lost = False  # the answer to this request goes nowhere
    down = None  # and this file then becomes one that makes all requests fail
    lock = threading.Lock()

    def log_message(self, form, *args):
        if self.options.log:
            with self.lock, open(self.options.log, "a", encoding="utf-8") as f:
                f.write("%s %s\n" % (self.command, self.path))

    def setup(self):
        super().setup()
        self.connection.settimeout(60)

    def answer(self, status, text=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def is_public_read(self, path):
        repository = path.partition(".git/")[0] + ".git"
        return (os.path.exists(os.path.join(self.options.root, repository.lstrip("/"), ".public"))
                and "git-receive-pack" not in self.path)

    def allowed(self, path):
        o = self.options
        if self.is_public_read(path):
            return True
        given = self.headers.get("Authorization", "")
        if o.token is not None:
            return given == "Bearer " + o.token
        if o.user is not None:
            want = base64.b64encode(("%s:%s" % (o.user, o.password)).encode()).decode()
            return given == "Basic " + want
        return True

    def fault(self, name, rest):
        """Plays a fault; True when the request is answered (or never will be)."""
        if name.startswith("slow-"):
            time.sleep(int(name[5:]) / 1000)
        elif name == "silent":
            time.sleep(60)
            self.close_connection = True
            return True
        elif name in ("stall", "cut"):
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"001e# service=git-upload-pack\n0000")
            self.wfile.flush()
            if name == "stall":
                time.sleep(60)
            self.close_connection = True
            return True
        elif name.startswith("error-post-"):
            if self.command == "POST":
                self.drain()
                self.answer(int(name[11:]), b"fault\n")
                return True
        elif name.startswith("error-"):
            self.drain()
            self.answer(int(name[6:]), b"fault\n")
            return True
        elif name.startswith("once-"):
            key = (self.command, rest)
            with self.lock:
                first = key not in self.failed_once
                self.failed_once.add(key)
            if first:
                self.drain()
                self.answer(int(name[5:]), b"fault\n")
                return True
        elif name in ("lost", "lost-once", "lost-down"):
            self.lost = self.path.endswith("/git-receive-pack")
            with self.lock:
                if name == "lost-once" and self.lost:
                    self.lost = rest not in self.failed_once
                    self.failed_once.add(rest)
        elif name == "redirect":
            self.answer(302, headers=[("Location", self.options.redirect + rest)])
            return True
        return False

    def switched(self, path):
        """Plays the faults that files switch on; True when the request is answered."""
        root = self.options.root
        for directory in (root, os.path.join(root, path[1:].partition("/")[0])):
            try:
                names = [n for n in os.listdir(directory) if n.startswith(".fault-")]
            except OSError:
                continue  # no such repository: git says so
            for name in names:
                kind, _, value = name[len(".fault-"):].partition("-")
                if kind == "slow":
                    kind = "slow-%d" % (float(value or 2) * 1000)
                elif kind.isdigit():
                    kind = "error-" + kind
                elif kind == "post":
                    kind = "error-post-" + value
                elif kind == "lost":
                    kind = "lost-down"
                    self.down = os.path.join(directory, name)
                if self.fault(kind, path):
                    return True
        return False

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while True:
            size = int(self.rfile.readline().split(b";")[0] or b"0", 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                return b"".join(parts)

    def drain(self):
        self.body()

    def serve(self):
        self.lost, self.down = False, None
        path, _, query = self.path.partition("?")
        if path.startswith("http://"):  # it is the proxy of another host, and answers for it
            path = "/" + path[7:].partition("/")[2]
        path = urllib.parse.unquote(path)
        first, _, tail = path[1:].partition("/")
        if first.startswith(FAULTS):
            rest = "/" + tail + ("?" + query if query else "")
            if self.fault(first, rest):
                return
            path = "/" + tail
        elif self.switched(path):
            return
        if not self.allowed(path):
            self.drain()
            self.answer(401, b"password required\n",
                        [("WWW-Authenticate", 'Basic realm="git"')])
            return
        self.backend(path, query)

    def backend(self, path, query):
        body = self.body()
        env = {
            "PATH": os.environ.get("PATH", ""),
            "GIT_PROJECT_ROOT": self.options.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": "/nonexistent",
            "REMOTE_USER": "pusher",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            # repositories of another owner are served too
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            "GIT_CONFIG_KEY_1": "http.receivepack", "GIT_CONFIG_VALUE_1": "true",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=env, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        status, headers = 200, []
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        if self.lost:
            if self.down:
                os.rename(self.down, os.path.join(os.path.dirname(self.down), ".fault-503"))
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = serve
    do_POST = serve


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients that hang up are part of the tests


def main():
    Handler.options = arguments()
    server = Server(("127.0.0.1", Handler.options.port), Handler)
    if Handler.options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*Handler.options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
