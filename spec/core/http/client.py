# SPDX-License-Identifier: Apache-2.0
#
# What a client does to the listener, one function per case; http_spec.lua runs
# `python3 client.py CASE PORT DIR …` and reads what is printed. Standard library only.
import http.client
import json
import socket
import ssl
import sys
import threading
import time

PORT = int(sys.argv[2])
DIR = sys.argv[3]
LIMIT_S = 20


def context(cert=None):
    c = ssl.create_default_context(cafile=DIR + "/server.crt")
    if cert:
        c.load_cert_chain(f"{DIR}/{cert}.crt", f"{DIR}/{cert}.key")
    return c


def raw(cert=None):
    s = socket.create_connection(("127.0.0.1", PORT), LIMIT_S)
    return context(cert).wrap_socket(s, server_hostname="localhost")


def connect(cert=None):
    return http.client.HTTPSConnection("localhost", PORT, timeout=LIMIT_S, context=context(cert))


def get(conn, path, method="GET", **kw):
    conn.request(method, path, **kw)
    r = conn.getresponse()
    return r, r.read()


def ask(path):
    c = connect()
    body = get(c, path)[1].decode()
    c.close()
    return body


def read_all(s):
    out = b""
    try:
        while True:
            part = s.recv(65536)
            if not part:
                return out, "end"
            out += part
    except (ConnectionError, ssl.SSLError) as e:
        return out, type(e).__name__


def echo():
    c = connect()
    c.putrequest("POST", "/a%2Fb/c?x=1%20&y", skip_accept_encoding=True)
    c.putheader("X-Two", "1")
    c.putheader("Content-Length", "3")
    c.putheader("X-Two", "2")
    c.endheaders(b"abc")
    r = c.getresponse()
    e = json.loads(r.read())
    print(r.status, e["method"], e["path"], e["query"], e["body"], e["peer_len"], e["in_time"])
    print([v for n, v in e["headers"] if n == "X-Two"])
    print(e["peer"].startswith("127.0.0.1:"), len(r.headers["Audit-Id"]),
          ["Audit-Id", r.headers["Audit-Id"]] in e["headers"], "Date" in r.headers)
    r, _ = get(c, "/echo", headers={"audit-id": "abc"})
    print(r.headers["Audit-Id"])


def certificate():
    for cert in (None, "client"):
        c = connect(cert)
        e = json.loads(get(c, "/echo")[1])
        again = json.loads(get(c, "/echo")[1])
        print(e["peer_len"] > 0, e["peer_len"] == again["peer_len"])


def versions():
    for low, high in ((ssl.TLSVersion.TLSv1_2,) * 2, (ssl.TLSVersion.TLSv1_3,) * 2):
        c = context("client")
        c.minimum_version, c.maximum_version = low, high
        s = socket.create_connection(("127.0.0.1", PORT), LIMIT_S)
        t = c.wrap_socket(s, server_hostname="localhost")
        t.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        body = read_all(t)[0]
        print(t.version(), json.loads(body.split(b"\r\n\r\n", 1)[1])["peer_len"] > 0)
    c = context()
    c.set_ciphers("ALL:@SECLEVEL=0")
    c.minimum_version = ssl.TLSVersion.TLSv1
    c.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        c.wrap_socket(socket.create_connection(("127.0.0.1", PORT)), server_hostname="localhost")
        print("old version accepted")
    except (ssl.SSLError, OSError):
        print("old version refused")


def async_():
    c = connect()
    n = sum(get(c, "/async")[1] == b"later\n" for _ in range(2000))
    print(n)


def head():
    c = connect()
    r, body = get(c, "/bytes?5000", "HEAD")
    print(r.status, r.headers["Content-Length"], len(body))
    print(get(c, "/bytes?5")[1].decode())


def gzip_():
    import gzip
    c = connect()
    for accept in ("gzip", "gzip;q=0", "deflate, gzip;q=0.5", None):
        h = {"Accept-Encoding": accept} if accept else {}
        c.putrequest("GET", "/bytes?200000", skip_accept_encoding=True)
        for k, v in h.items():
            c.putheader(k, v)
        c.endheaders()
        r = c.getresponse()
        body = r.read()
        zipped = r.headers["Content-Encoding"] == "gzip"
        plain = gzip.decompress(body) if zipped else body
        print(zipped, r.headers["Vary"], plain == b"x" * 200000)
    r, body = get(c, "/bytes?1000", headers={"Accept-Encoding": "gzip"})
    print(r.headers["Content-Encoding"], r.headers["Vary"], len(body))


def bodies():
    limit = int(sys.argv[4])
    c = connect()
    print(json.loads(get(c, "/echo", "POST", body=b"z" * limit)[1])["body_len"] == limit)
    for body, kw in ((b"z" * (limit + 1), {}), (iter([b"z" * 1000] * (limit // 500)),
                                                {"encode_chunked": True})):
        c = connect()
        h = {"Transfer-Encoding": "chunked"} if kw else {}
        r, text = get(c, "/echo", "POST", body=body, headers=h, **kw)
        s = json.loads(text)
        print(r.status, r.headers["Connection"], r.headers["Content-Type"], s["kind"], s["reason"],
              s["message"], s["code"])
    s = raw()
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (limit * 100))
    print(read_all(s)[0].split(b"\r\n")[0].decode())
    s = raw()
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    sent = 0
    try:
        while sent < limit * 50:
            s.sendall(b"1000\r\n" + b"z" * 4096 + b"\r\n")
            sent += 4096
    except (OSError, ssl.SSLError):
        pass
    print("cut" if sent < limit * 50 else "all taken")


def expect():
    limit = int(sys.argv[4])
    for n in (10, limit + 1):
        s = raw()
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                  b"Content-Length: %d\r\nConnection: close\r\n\r\n" % n)
        first = s.recv(65536)
        print(first.split(b"\r\n")[0].decode())
        if b"100" in first.split(b"\r\n")[0]:
            s.sendall(b"z" * n)
            print(read_all(s)[0].split(b"\r\n")[0].decode())


def large_head():
    c = connect()
    q = "q=" + "a" * 43000
    e = json.loads(get(c, "/echo?" + q, headers={"X-Long": "b" * 22500})[1])
    print(e["query"] == q, any(v == "b" * 22500 for _, v in e["headers"]))
    try:
        r, _ = get(connect(), "/echo?" + "a" * 90000)
        print(r.status in (413, 414, 431))
    except (ConnectionError, http.client.RemoteDisconnected):
        print(True)


def many_parts():
    """Heads that are small but have many parts: answered or refused, never left waiting."""
    for head in (b"GET /echo?" + b"a=b&" * 2000 + b" HTTP/1.1\r\n",
                 b"GET /echo?" + b"&" * 60000 + b" HTTP/1.1\r\n",
                 b"GET /echo HTTP/1.1\r\n" + b"".join(b"X-%d: b\r\n" % i for i in range(5000)),
                 b"GET /echo HTTP/1.1\r\nCookie: " + b"a=b;" * 5000 + b"\r\n"):
        s = raw()
        s.sendall(head + b"Host: x\r\nConnection: close\r\n\r\n")
        answer = read_all(s)[0]
        print(answer.split(b"\r\n")[0].decode())
        if b" 200 " in answer.split(b"\r\n")[0]:
            body = json.loads(answer.split(b"\r\n\r\n", 1)[1])
            print(body["query"] == head.split(b" ")[1].split(b"?")[1].decode())


def open_watch(path="/watch"):
    c = connect()
    c.request("GET", path)
    return c, c.getresponse()


def watch():
    _, r = open_watch()
    ask("/wait?1")
    for i in range(200):
        ask(f"/push?event{i}")
        line = r.readline().decode().strip()
        if line != f"event{i}":
            print("lost", i, line)
    print(r.status, r.headers["Transfer-Encoding"])
    ask("/finish")
    print(r.read(), ask("/wait?0"))


def fast_wakes():
    """Many wakes from many threads while the stream is being read: none may be lost."""
    _, r = open_watch()
    ask("/wait?1")

    def pusher():
        c = connect()
        for _ in range(250):
            get(c, "/push?e")
        c.close()

    threads = [threading.Thread(target=pusher) for _ in range(4)]
    for t in threads:
        t.start()
    n = sum(len(r.readline()) for _ in range(1000))
    for t in threads:
        t.join()
    ask("/finish")
    print(n, len(r.read()))


def tick():
    c, r = open_watch("/tick?3")
    print(r.read().decode().split())


def abort():
    c, r = open_watch("/abort")
    try:
        r.read()
        print("clean")
    except http.client.IncompleteRead:
        print("incomplete")


def gone():
    """Clients that vanish are noticed without a write."""
    watches = [open_watch() for _ in range(20)]
    print(ask("/wait?20"))
    for c, r in watches[:10]:
        r.close()
        c.sock.close() if c.sock else None
    for c, r in watches[:10]:
        c.close()
    print(ask("/wait?10"))
    for c, r in watches[10:]:
        c.sock and c.sock.close()
        r.close()
    print(ask("/wait?0"))


def slow_reader():
    """A stream waits for its reader and is whole; others are served meanwhile."""
    n = 20 * 1000 * 1000
    _, r = open_watch(f"/list?{n}")
    first = len(r.read(1000))
    print(ask("/wait?1"), len(ask("/bytes?100")))
    rest = 0
    while True:
        part = r.read(1 << 20)
        if not part:
            break
        rest += len(part)
    print(first + rest == n, ask("/wait?0"))


def keepalive():
    threads, each = 50, 20
    bad = []

    def run():
        try:
            conns = [connect() for _ in range(each)]
            for _ in range(3):
                for c in conns:
                    if len(get(c, "/bytes?1024")[1]) != 1024:
                        bad.append("size")
        except Exception as e:  # whatever it is, the case has failed
            bad.append(repr(e))
        open_.extend(conns)

    open_ = []
    ts = [threading.Thread(target=run) for _ in range(threads)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    print(len(open_), bad[:3])


def early():
    """The answer comes before the work has ended, which goes on in the request's memory."""
    c = connect()
    print(get(c, "/early", "POST", body=b"work")[1], get(c, "/echo")[0].status)
    c.close()
    print(ask("/held"), ask("/release"))


def overload():
    """The reads that may be in flight are taken; the next is told to come again."""
    limit = int(sys.argv[4])
    held = []
    for _ in range(limit):
        c = connect()
        c.request("POST", "/hold", body=b"")
        held.append(c)
    deadline = time.monotonic() + LIMIT_S
    while int(ask("/held")) < limit and time.monotonic() < deadline:
        pass
    c = connect()
    r, body = get(c, "/echo", "POST", body=b"")
    s = json.loads(body)
    print(r.status, r.headers["Retry-After"], s["reason"], s["code"])
    print(get(c, "/echo")[0].status, ask("/release"))
    print(sum(h.getresponse().read() == b"released\n" for h in held))
    print(get(c, "/echo", "POST", body=b"")[0].status)


def garbage():
    for text in (b"\xff\x01\x02" * 100 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                 b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                 b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
        s = raw()
        s.sendall(text)
        s.settimeout(3)
        try:
            out, end = read_all(s)
            first = out.split(b"\r\n")[0]
            print("refused" if not out or b" 4" in first or b" 5" in first else first)
        except TimeoutError:
            print("open")
    plain = socket.create_connection(("127.0.0.1", PORT), LIMIT_S)
    plain.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
    print(b"200 OK" in read_all(plain)[0])
    print(len(ask("/bytes?10")))


def slow_clients():
    """Half-open handshakes, heads and bodies that trickle, idle connections: all end."""
    silent = socket.create_connection(("127.0.0.1", PORT), LIMIT_S)
    head_ = raw()
    head_.sendall(b"GET /echo HTTP/1.1\r\nHos")
    body = raw()
    body.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    idle = connect()
    get(idle, "/echo")
    held = connect()
    held.request("GET", "/hold")
    _, stream = open_watch()
    ask("/wait?1")

    def trickle(s):
        try:
            while True:
                s.sendall(b"x")
                time.sleep(0.2)
        except OSError:
            pass

    for s in (head_, body):
        threading.Thread(target=trickle, args=(s,), daemon=True).start()
    for s in (silent, head_, body, idle.sock):
        print(len(read_all(s)[0]))
    print(ask("/push?still"), stream.readline().decode().strip())
    ask("/release")
    print(held.getresponse().read())
    ask("/finish")


def stalled():
    """A client that takes nothing of a stream is cut; one that waits for events is not."""
    c, r = open_watch("/list?400000000")
    _, w = open_watch()
    print(ask("/wait?2"), ask("/wait?1"))
    ask("/push?fine")
    print(w.readline().decode().strip())
    ask("/finish")


def stop():
    """Streams open while the listener stops: watches end cleanly."""
    rs = [open_watch()[1] for _ in range(20)]
    ask("/wait?20")
    busy = connect()
    busy.request("GET", "/hold")
    deadline = time.monotonic() + LIMIT_S
    while int(ask("/held")) < 1 and time.monotonic() < deadline:
        pass
    print("ready", flush=True)
    print(sum(r.read() == b"" for r in rs))
    r = busy.getresponse()
    print(r.status, json.loads(r.read())["reason"])


def request_bench():
    """p50 and p99 in ms of keep-alive GETs of 1 KiB."""
    n = int(sys.argv[4])
    s = raw()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    req = b"GET /bytes?1024 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n\r\n"
    times = []
    for _ in range(n):
        t = time.perf_counter()
        s.sendall(req)
        got = b""
        while not got.endswith(b"\r\n\r\n") and b"\r\n\r\n" not in got:
            got += s.recv(65536)
        left = 1024 - (len(got) - got.index(b"\r\n\r\n") - 4)
        while left > 0:
            left -= len(s.recv(65536))
        times.append(time.perf_counter() - t)
    times.sort()
    print(times[n // 2] * 1e3, times[n * 99 // 100] * 1e3)


def hold_open():
    """Opens connections, says ready, closes when told: for memory measurements."""
    kind, n = sys.argv[4], int(sys.argv[5])
    conns = []
    for _ in range(n):
        c = connect()
        if kind == "watch-after-get":
            get(c, "/bytes?1024")
        if kind == "connect":
            c.connect()
        elif kind == "idle":
            get(c, "/bytes?1024")
        else:
            c.request("GET", "/watch")
            conns.append(c.getresponse())
        conns.append(c)
    print("ready", flush=True)
    sys.stdin.readline()


globals()[sys.argv[1]]()
