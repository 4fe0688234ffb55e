-- SPDX-License-Identifier: Apache-2.0
-- core/repo/{wire_*,fetch}.c and core/net: real servers, wrong credentials, faults, deadlines.
local net = require("probe_net")
local probe = require("probe_repo")
local s = require("spec.core.repo.support")

describe("repo network", function()
  local pool, dir

  before_each(function()
    pool = assert(probe.open(s.tmp()))
    dir = s.bare()
  end)

  after_each(function()
    pool:close()
    s.clean()
  end)

  local function http(options, path)
    return "http://127.0.0.1:" .. s.http(s.dirname(dir), options) .. (path or "") .. "/remote.git"
  end

  local function round_trip(repo)
    local state, err = repo:fetch()
    assert(state, err and err.message)
    local out = assert(repo:push({ s.publish("pkg", 1, s.package(pool)) }))
    assert.is_nil(out[1].err and out[1].err.message)
    assert.equal(out[1].commit, s.refs(dir)["refs/tags/pkg/v1"])
    local new = s.commit(dir, "main", { ["more.txt"] = "more\n" }, "outside")
    assert.equal(new, assert(repo:fetch()).head)
    assert.same(s.refs(dir), s.refs(repo:mirror()))
    s.fsck(dir)
    s.fsck(repo:mirror())
  end

  describe("credentials", function()
    it("sends basic credentials", function()
      local url = http("--user me --password 's3c:ret'")
      round_trip(pool:repo({ url = url, auth = "basic", username = "me", password = "s3c:ret" }))
    end)

    it("sends bearer tokens", function()
      round_trip(pool:repo({ url = http("--token t0k"), auth = "bearer", token = "t0k" }))
    end)

    it("says what is wrong with a credential", function()
      local url = http("--user me --password right")
      local repo = pool:repo({ url = url, auth = "basic", username = "me", password = "wrong",
        namespace = "ns", name = "git", directory = "/dir/" })
      local _, err = repo:fetch()
      assert.equal("unauthorized", err.kind)
      assert.equal("error cloning git repository " .. url .. ", fetch of remote repository failed: "
        .. "fetch of remote repository ns:git:dir:main with retry failed: fetch of remote "
        .. "repository ns:git:dir:main with retry failed on try number 3: cannot fetch repository "
        .. "ns:git:dir:main: authentication required: password required\n", err.message)
      _, err = repo:probe()
      assert.equal("failed to list remote refs with authentication: authentication required: "
        .. "password required\n", err.message)
      _, err = repo:push({ s.publish("pkg", 1, s.package(pool)) })
      assert.equal("unauthorized", err.kind)
      _, err = pool:repo({ url = url }):probe()
      assert.matches("^failed to list remote refs: authentication required", err.message)
    end)

    it("keeps mirrors of different credentials apart", function()
      local url = http()
      local a = pool:repo({ url = url, auth = "bearer", token = "a" })
      local b = pool:repo({ url = url, auth = "bearer", token = "b" })
      local c = pool:repo({ url = url, auth = "bearer", token = "a", branch = "other" })
      assert.not_equal(a:mirror(), b:mirror())
      assert.equal(a:mirror(), c:mirror())
    end)

    it("follows a redirect, but not with the credential to another origin", function()
      local port = s.http(s.dirname(dir))
      local target = "http://127.0.0.1:" .. port
      local near = "http://127.0.0.1:"
        .. s.http(s.dirname(dir), "--redirect " .. target) .. "/redirect/remote.git"
      round_trip(pool:repo({ url = near }))
      local _, err = pool:repo({ url = near, auth = "bearer", token = "t" }):fetch()
      assert.matches("the credential is not sent on to " .. target:gsub("%p", "%%%0"),
        err.message)
    end)
  end)

  it("goes through the proxy that the environment names", function()
    local log = s.tmp() .. "/log"
    local proxy = "http://127.0.0.1:" .. s.http(s.dirname(dir), "--log " .. log)
    local repo = pool:repo({ url = "http://git.invalid/remote.git" })
    net.setenv("http_proxy", proxy)
    finally(function()
      net.setenv("http_proxy")
      net.setenv("no_proxy")
    end)
    round_trip(repo)
    assert.matches("GET http://git.invalid/remote.git/info/refs", s.read(log), 1, true)
    net.setenv("no_proxy", "invalid")
    local _, err = repo:probe()
    assert.matches("no such host", err.message)
  end)

  it("does not show the password of a URL", function()
    local _, err = pool:repo({ url = "http://me:secret@127.0.0.1:1/x.git" }):probe()
    assert.matches('Get "http://me:***@127.0.0.1:1/x.git/info/refs', err.message, 1, true)
  end)

  describe("TLS", function()
    local function certificate(name)
      local at = s.tmp()
      s.sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN="
        .. name .. " -addext subjectAltName=IP:127.0.0.1 -keyout " .. at .. "/key -out "
        .. at .. "/cert")
      return at .. "/cert", at .. "/key"
    end

    it("trusts the CA bundle of this repository alone", function()
      local cert, key = certificate("one")
      local url = http("--tls " .. cert .. " " .. key):gsub("^http:", "https:")
      local _, err = pool:repo({ url = url }):fetch()
      assert.equal("unavailable", err.kind)
      assert.matches("certificate", err.message)
      round_trip(pool:repo({ url = url, ca_bundle = s.read(cert), auth = "bearer", token = "x" }))
      local other = certificate("two")
      _, err = pool:repo({ url = url, ca_bundle = s.read(other) }):probe()
      assert.matches("certificate", err.message)
    end)
  end)

  describe("faults", function()
    local function within(ms, fn)
      local from = probe.mono_ms()
      local a, b = fn()
      local took = probe.mono_ms() - from
      assert(took < ms, "took " .. took .. " ms")
      return a, b
    end

    for _, fault in ipairs({ "/silent", "/stall", "/slow-5000" }) do
      it("ends by the deadline at a server that is " .. fault:sub(2), function()
        local repo = pool:repo({ url = http("", fault) })
        local _, err = within(1500, function()
          return repo:fetch(1000)
        end)
        assert.equal("timeout", err.kind)
        assert.matches("deadline exceeded", err.message)
        _, err = within(1500, function()
          return repo:push({ s.publish("pkg", 1, s.package(pool)) }, 1000)
        end)
        assert.equal("timeout", err.kind)
        _, err = within(1500, function()
          return repo:probe(1000)
        end)
        assert.matches("^failed to list remote refs: ", err.message)
        assert.matches("deadline exceeded", err.message)
      end)
    end

    for _, scheme in ipairs({ "git", "ssh" }) do
      it("ends by the deadline at a silent " .. scheme .. ":// server", function()
        local port = s.serve("exec python3 -c 'import socket,time\n"
          .. "l=socket.create_server((\"127.0.0.1\",0))\n"
          .. "print(l.getsockname()[1],flush=True)\nk=[]\n"
          .. "while True: k.append(l.accept())'")
        local repo = pool:repo({ url = scheme .. "://127.0.0.1:" .. port .. "/x" })
        local _, err = within(1000, function()
          return repo:fetch(500)
        end)
        assert.equal("timeout", err.kind)
      end)
    end

    it("tries again after a 500, three times in all", function()
      local log = s.tmp() .. "/log"
      local repo = pool:repo({ url = http("--log " .. log, "/error-500") })
      local _, err = repo:fetch()
      assert.matches("status code: 500", err.message)
      assert.equal(3, select(2, s.read(log):gsub("GET", "")))
      round_trip(pool:repo({ url = http("", "/once-500") }))
    end)

    it("reports per op when the answer to a push is lost", function()
      dir = s.bare({ empty = true }) -- nothing to fetch: the push is the only POST
      local repo = pool:repo({ url = http("", "/error-post-503"), create_branch = true })
      local out = assert(repo:push({ s.publish("pkg", 1, s.package(pool)) }))
      assert.matches("status code: 503", out[1].err.message)
      local _, err = pool:repo({ url = http("", "/cut") }):fetch()
      assert.equal("unavailable", err.kind)
    end)

    it("knows what became of a push whose answer is lost, and says when it cannot", function()
      dir = s.bare({ empty = true })
      local failing = pool:repo({ url = http("", "/error-post-503"), create_branch = true })
      local other = s.publish("other", 1, s.package(pool))
      assert.is_true(assert(failing:push({ other }))[1].unknown)

      local op = s.publish("pkg", 1, s.package(pool))
      local lost = pool:repo({ url = http("", "/lost-once"), create_branch = true })
      local out = assert(lost:push({ op }))
      assert.is_nil(out[1].err)
      assert.equal(out[1].commit, s.line(s.git(dir, "rev-parse pkg/v1")))

      local well = pool:repo({ url = http() })
      assert.same({ true, false }, { well:seen(op), (well:seen(other)) })
      local tag = { type = "delete-tag", package = "pkg", workspace = "v1", revision = 1 }
      assert.is_false(well:seen(tag))
      tag.package = "other"
      assert.is_true(well:seen(tag))
      assert.equal("pkg/v1", s.line(s.git(dir, "tag")))
      local _, err = pool:repo({ url = http("", "/cut") }):seen(op)
      assert.equal("unavailable", err.kind)
    end)

    it("tries pushes again whose error text an operator has named", function()
      local repo = pool:repo({ url = http("", "/once-503") })
      assert(repo:fetch())
      local _, err = repo:push({ s.publish("pkg", 1, s.package(pool)) })
      assert.matches("status code: 503", err.message)
      pool:close()
      pool = assert(probe.open(s.tmp(), { "no such text", "Status Code: 503" }))
      repo = pool:repo({ url = http("", "/once-503") })
      assert(repo:fetch())
      local out = assert(repo:push({ s.publish("pkg", 1, s.package(pool)) }))
      assert.is_nil(out[1].err)
    end)

    it("says that nobody listens, that a host is unknown, that a repository is missing", function()
      local _, err = pool:repo({ url = "http://127.0.0.1:1/x.git" }):fetch()
      assert.matches("connection refused", err.message)
      _, err = pool:repo({ url = "git://127.0.0.1:1/x.git" }):fetch()
      assert.matches("connection refused", err.message)
      _, err = pool:repo({ url = "http://no-such-host.invalid/x.git" }):fetch()
      assert.matches("no such host", err.message)
      _, err = pool:repo({ url = (http():gsub("remote.git", "missing.git")) }):fetch()
      assert.equal("not-found", err.kind)
      assert.matches("repository not found", err.message)
      _, err = pool:repo({ url = "file:///nowhere/x.git" }):fetch()
      assert.matches("repository not found", err.message)
    end)

    it("does not take a web page for a repository", function()
      local root = s.tmp()
      s.write(root .. "/refs", "hello")
      local port = s.serve("exec python3 -c 'import http.server as h\n"
        .. "class H(h.BaseHTTPRequestHandler):\n"
        .. "  def do_GET(s): s.send_response(200); s.end_headers(); s.wfile.write(b\"<html>x\")\n"
        .. "  def log_message(s,*a): pass\n"
        .. "l=h.HTTPServer((\"127.0.0.1\",0),H)\n"
        .. "print(l.server_address[1],flush=True)\nl.serve_forever()'")
      local _, err = pool:repo({ url = "http://127.0.0.1:" .. port .. "/x" }):fetch()
      assert.matches("does not speak the git protocol", err.message)
    end)
  end)

  it("speaks git://", function()
    s.git(dir, "config daemon.receivepack true")
    local port = 20000 + math.random(20000)
    local stop = select(2, s.serve("git daemon --base-path=" .. s.dirname(dir)
      .. " --export-all --listen=127.0.0.1 --port=" .. port .. " --reuseaddr --pid-file="
      .. s.dirname(dir) .. "/pid & echo " .. port .. "; exec sleep 60"))
    local url = "git://127.0.0.1:" .. port .. "/remote.git"
    local until_ms = probe.mono_ms() + 5000
    local repo = assert(pool:repo({ url = url }))
    repeat
      local ok = repo:probe(1000)
    until ok or probe.mono_ms() > until_ms
    round_trip(repo)
    local _, err = pool:repo({ url = (url:gsub("remote", "missing")) }):fetch()
    assert(err)
    os.execute("kill $(cat " .. s.dirname(dir) .. "/pid)")
    stop()
  end)

  describe("ssh", function()
    local home, port, host_key

    local function start()
      home = s.tmp()
      s.sh("chmod 700 " .. home)
      for _, name in ipairs({ "host", "user", "other" }) do
        s.sh("ssh-keygen -q -t ed25519 -N '' -f " .. home .. "/" .. name)
      end
      s.sh("ssh-keygen -q -t rsa -b 2048 -N '' -f " .. home .. "/host_rsa")
      s.sh("cp " .. home .. "/user.pub " .. home .. "/authorized")
      port = 20000 + math.random(20000)
      s.write(home .. "/config", table.concat({
        "Port " .. port, "ListenAddress 127.0.0.1", "HostKey " .. home .. "/host",
        "HostKey " .. home .. "/host_rsa", "PidFile none", "StrictModes no", "UsePAM no",
        "AuthorizedKeysFile " .. home .. "/authorized", "PermitRootLogin yes",
        "PasswordAuthentication no", "LogLevel ERROR", "",
      }, "\n"))
      s.serve("echo " .. port .. "; exec $(command -v sshd) -D -e -f " .. home .. "/config")
      host_key = s.read(home .. "/host.pub"):match("^(%S+ %S+)")
      local until_ms = probe.mono_ms() + 5000
      repeat
        local open = os.execute("bash -c '</dev/tcp/127.0.0.1/" .. port .. "' 2>/dev/null")
      until open or probe.mono_ms() > until_ms
    end

    local function remote(extra)
      local user = s.line(s.sh("id -un"))
      local r = {
        url = "ssh://" .. user .. "@127.0.0.1:" .. port .. dir,
        auth = "ssh",
        private_key = s.read(home .. "/user"),
        known_hosts = "# hosts\n[127.0.0.1]:" .. port .. " " .. host_key .. "\n",
      }
      for k, v in pairs(extra or {}) do
        r[k] = v
      end
      return assert(pool:repo(r))
    end

    it("speaks ssh with a key and known_hosts", function()
      if not s.have("sshd") then
        return pending("sshd is not installed")
      end
      start()
      round_trip(remote())
    end)

    it("refuses unknown and changed host keys, and wrong user keys", function()
      if not s.have("sshd") then
        return pending("sshd is not installed")
      end
      start()
      local _, err = remote({ known_hosts = "" }):fetch()
      assert.matches("host key of 127.0.0.1 is unknown", err.message)
      local other = s.read(home .. "/other.pub"):match("^(%S+ %S+)")
      _, err = remote({ known_hosts = "[127.0.0.1]:" .. port .. " " .. other }):fetch()
      assert.matches("host key of 127.0.0.1 differs", err.message)
      _, err = remote({ private_key = s.read(home .. "/other") }):fetch()
      assert.equal("unauthorized", err.kind)
      assert.matches("authentication failed", err.message)
      _, err = remote({ private_key = "nonsense" }):fetch()
      assert.equal("unauthorized", err.kind)
    end)
  end)
end)

describe("repo url", function()
  it("takes the forms that git users write", function()
    assert.same({ kind = "file", user = "", host = "", port = 0, path = "/a b/c.git" },
      probe.url("file:///a%20b/c.git"))
    assert.same({ kind = "ssh", user = "git", host = "host", port = 22, path = "org/x.git" },
      probe.url("git@host:org/x.git"))
    assert.same({ kind = "ssh", user = "u", host = "::1", port = 2222, path = "~me/x" },
      probe.url("ssh://u@[::1]:2222/~me/x"))
    assert.same({ kind = "git", user = "", host = "host", port = 9418, path = "/x.git" },
      probe.url("git://host/x.git"))
    assert.equal("http", probe.url("https://user:secret@host/x.git").kind)
  end)

  it("refuses what git would run or read as an option", function()
    for _, bad in ipairs({
      "", "-oProxyCommand=x", "ext::sh -c true", "ext::x", "fd::3", "ssh://-oProxyCommand=x/y",
      "-x@host:y", "host:-x", "ftp://host/x", "file://relative", "relative/path", "ssh://host",
      "git://host:99999/x", "http:///x", "ssh://h\n/x", "git@host:", "nonsense",
    }) do
      local u, err = probe.url(bad)
      assert.is_nil(u, bad)
      assert.equal("invalid", err.kind)
    end
    local pool = assert(probe.open(s.tmp()))
    local _, err = pool:repo({ url = "/x", branch = "-b" })
    assert.equal("invalid", err.kind)
    _, err = pool:repo({ url = "/x", branch = "a..b" })
    assert.equal("invalid", err.kind)
    pool:close()
    s.clean()
  end)
end)
