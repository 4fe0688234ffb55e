-- SPDX-License-Identifier: Apache-2.0
--
-- The listener seen by clients: what they send wrong, slowly or not at all, and what they get.
local probe = require "probe_http"

local dir

local function run(command)
  local pipe = assert(io.popen(command))
  local out = pipe:read("a")
  assert(pipe:close(), command .. "\n" .. out)
  return out
end

local function read_file(path)
  local f <close> = assert(io.open(path))
  return f:read("a")
end

local function start(config)
  config = config or {}
  config.cert = read_file(dir .. "/server.crt")
  config.key = read_file(dir .. "/server.key")
  return assert(probe.start(config))
end

local function command(case, server, ...)
  local words = { "python3 -W ignore spec/core/http/client.py", case, server:port(), dir, ... }
  return "LD_PRELOAD= " .. table.concat(words, " ") .. " 2>&1"
end

local function client(case, server, ...)
  local lines = {}
  for line in run(command(case, server, ...)):gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  return lines
end

describe("listener", function()
  setup(function()
    dir = os.tmpname()
    os.remove(dir)
    run("mkdir " .. dir)
    local ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    run(("LD_PRELOAD= openssl req -x509 %s -days 2 -subj /CN=localhost -addext "
      .. "subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout %s/server.key -out %s/server.crt 2>&1")
      :format(ec, dir, dir))
    run(("LD_PRELOAD= openssl req -x509 %s -days 2 -subj /O=g1/CN=ann -keyout %s/client.key "
      .. "-out %s/client.crt 2>&1"):format(ec, dir, dir))
  end)

  teardown(function()
    run("rm -r " .. dir)
  end)

  -- One server per case; each has to stop with every stream closed.
  local function with(config, fn)
    local server = start(config)
    local ok, e = pcall(fn, server)
    local _, open = server:stop(1)
    assert(ok, e)
    assert.equal(0, open)
  end

  local function check(case, config, expected, ...)
    local extra = { ... }
    with(config, function(server)
      assert.same(expected, client(case, server, table.unpack(extra)))
    end)
  end

  it("hands in path, query, headers and body as sent", function()
    check("echo", nil, {
      "200 2 /a%2Fb/c x=1%20&y abc 0 True", "['1', '2']", "True 36 True True", "abc" })
  end)

  it("asks for a client certificate and takes none, too", function()
    check("certificate", nil, { "False True", "True True" })
  end)

  it("speaks TLS 1.2 and 1.3 only", function()
    check("versions", nil, { "TLSv1.2 True", "TLSv1.3 True", "old version refused" })
  end)

  it("sends answers that come from another thread", function()
    check("async_", nil, { "2000" })
  end)

  it("keeps the memory of a request whose work goes on behind its answer", function()
    check("early", nil, { "b'early\\n' 200", "1 1" })
  end)

  it("answers HEAD without a body", function()
    check("head", nil, { "200 5000 0", "xxxxx" })
  end)

  it("packs large bodies when the client takes gzip", function()
    check("gzip_", nil, {
      "True Accept-Encoding True", "False Accept-Encoding True", "True Accept-Encoding True",
      "False Accept-Encoding True", "None None 1000" })
  end)

  it("refuses bodies above the limit, with length and chunked", function()
    local line = "413 close application/json Status RequestEntityTooLarge "
      .. "Request entity too large: limit is 100000 413"
    check("bodies", { max_body = 100000 },
      { "True", line, line, "HTTP/1.1 413 Content Too Large", "cut" }, 100000)
  end)

  it("answers Expect: 100-continue", function()
    check("expect", { max_body = 100000 }, {
      "HTTP/1.1 100 Continue", "HTTP/1.1 200 OK", "HTTP/1.1 413 Content Too Large" }, 100000)
  end)

  it("has room for 64 KiB of request line and headers", function()
    check("large_head", nil, { "True True", "True" })
  end)

  it("answers small heads of many parts", function()
    check("many_parts", nil, {
      "HTTP/1.1 200 OK", "True", "HTTP/1.1 200 OK", "True",
      "HTTP/1.1 431 Request Header Fields Too Large",
      "HTTP/1.1 431 Request Header Fields Too Large",
    })
  end)

  it("sends each event of a watch at once", function()
    check("watch", nil, { "200 chunked", "b'' 0" })
  end)

  it("loses no wake", function()
    check("fast_wakes", nil, { "2000 0" })
  end)

  it("reads a stream again when its time comes", function()
    check("tick", nil, { "['tick', 'tick', 'tick']" })
  end)

  it("breaks the connection when a stream fails", function()
    check("abort", nil, { "incomplete" })
  end)

  it("notices clients that go away from an idle watch", function()
    check("gone", nil, { "20", "10", "0" })
  end)

  it("waits for a slow reader", function()
    check("slow_reader", nil, { "1 100", "True 0" })
  end)

  it("serves 1000 connections at once", function()
    check("keepalive", nil, { "1000 []" })
  end)

  it("refuses writes above the number in flight, and reads go on", function()
    check("overload", nil, {
      "429 1 TooManyRequests 429", "200 200", "200", "200" }, 200)
  end)

  it("survives garbage", function()
    check("garbage", nil, { "refused", "refused", "refused", "refused", "refused", "False", "10" })
  end)

  it("cuts clients that are slow with head or body, or idle, but nobody that waits", function()
    check("slow_clients", { head_ms = 1000, idle_ms = 1000, body_ms = 1000 },
      { "0", "0", "0", "0", "1 still", "b'released\\n'" })
  end)

  it("cuts a client that takes nothing of a stream", function()
    check("stalled", { stall_ms = 1000 }, { "2 1", "fine" })
  end)

  it("stops within a second: watches end cleanly, a hanging request gets 503", function()
    local server = start()
    local pipe = assert(io.popen(command("stop", server)))
    assert.equal("ready", pipe:read("l"))
    local took, open, closed = server:stop(0.3)
    assert.equal("20", pipe:read("l"))
    assert.equal("503 ServiceUnavailable", pipe:read("l"))
    assert(pipe:close())
    assert.is_true(took < 1, took)
    assert.equal(0, open)
    assert.equal(20, closed)
  end)

  it("counts what it does", function()
    with(nil, function(server)
      client("head", server)
      local text = server:metrics()
      assert.matches("lanai_http_requests_total 2\n", text)
      assert.matches("lanai_http_sent_bytes_total 5\n", text)
      assert.matches('apiserver_current_inflight_requests{request_kind="readOnly"} 0\n', text)
    end)
  end)

  it("says why it cannot listen", function()
    with(nil, function(server)
      local other, why = probe.start { port = server:port() }
      assert.is_nil(other)
      assert.matches("cannot listen on 127.0.0.1 port %d+: Address already in use", why)
    end)
    local _, why = probe.start { address = "nowhere" }
    assert.equal("cannot listen on 'nowhere': not an IP address", why)
    _, why = probe.start { cert = "x", key = "y" }
    assert.equal("cannot start the listener: certificate or key not accepted", why)
  end)
end)
