-- SPDX-License-Identifier: Apache-2.0
-- The end of a server: SIGTERM lets requests finish, ends watches cleanly, and the process is gone
-- with status 0 in time; what was stored is there at the next start.
local clients = require("spec.wire.clients")
local lib = require("spec.lib.server")
local shell, quote = lib.shell, lib.quote

local PROGRAM = os.getenv("LANAI") or (os.getenv("LANAI_BUILD") or "build") .. "/lanai"
local LIMIT = 5 -- seconds

describe("a server", function()
  local data, pipe, pid, server

  -- A child of this process, so that its exit status can be read.
  local function start()
    os.remove(data .. "/address")
    pipe = assert(io.popen(("%s serve --data %s --port 0 2>&1 & echo $!; wait $!; echo ended $?")
      :format(quote(PROGRAM), quote(data))))
    pid = pipe:read("l")
    for line in pipe:lines() do
      if line:find("lanai serves", 1, true) then
        break
      end
    end
    local url = clients.read(data .. "/address"):match("%S+")
    server = { url = url, kubeconfig = data .. "/kubeconfig", ca = data .. "/ca",
      cert = data .. "/cert", key = data .. "/key" }
    local text = clients.read(server.kubeconfig)
    for file, member in pairs({ ca = "certificate-authority-data", cert = "client-certificate-data",
      key = "client-key-data" }) do
      local value = text:match((member:gsub("%-", "%%-")) .. ":%s*\"?([%w+/=]+)")
      shell(("umask 077; printf %%s %s | base64 -d > %s/%s"):format(value, quote(data), file))
    end
  end

  -- Status of the process, and the seconds it took to go.
  local function stop(signal)
    local before = os.time()
    shell(("kill -%s %s"):format(signal or "TERM", pid))
    local status
    for line in pipe:lines() do
      status = line:match("^ended (%d+)$") or status
    end
    pipe:close()
    pid = nil
    return tonumber(status), os.time() - before
  end

  local function curl(path, more)
    return ("curl -sS --max-time 20 --cacert %s --cert %s --key %s %s %s"):format(
      quote(server.ca), quote(server.cert), quote(server.key), more or "",
      quote(server.url .. path))
  end

  before_each(function()
    data = clients.temporary()
    start()
  end)

  after_each(function()
    if pid then
      stop("KILL")
    end
    shell("rm -rf " .. quote(data))
  end)

  it("ends with 0 on SIGTERM and on SIGINT", function()
    assert.are.equal(0, (stop("TERM")))
    start()
    assert.are.equal(0, (stop("INT")))
  end)

  it("ends its watches cleanly and in time", function()
    -- curl says 0 only when the chunked answer was finished properly
    local path = "/api/v1/namespaces?watch=true"
    local watch = assert(io.popen(curl(path, "-N") .. "; echo; echo curl $?"))
    assert.is_truthy(watch:read("l"):find('"type":"ADDED"', 1, true))
    local status, seconds = stop()
    local rest = watch:read("a")
    watch:close()
    assert.are.equal(0, status)
    assert.is_true(seconds <= LIMIT, seconds .. " s")
    assert.are.equal("0", rest:match("curl (%d+)%s*$"), rest)
    for line in rest:gmatch("[^\n]+") do
      assert.is_true(line:find("^{.*}$") ~= nil or line:find("^curl ") ~= nil, line)
    end
  end)

  it("does not wait for idle connections", function()
    local idle = assert(io.popen(
      ("python3 -c %s"):format(quote(([[
import socket, ssl, sys
c = ssl.create_default_context(cafile=%q)
c.load_cert_chain(%q, %q)
s = c.wrap_socket(socket.create_connection(("127.0.0.1", %s)), server_hostname="127.0.0.1")
print("open", flush=True)
s.settimeout(20)
s.recv(1)
]]):format(server.ca, server.cert, server.key, server.url:match("%d+$"))))))
    assert.are.equal("open", idle:read("l"))
    local status, seconds = stop()
    idle:close()
    assert.are.equal(0, status)
    assert.is_true(seconds <= LIMIT, seconds .. " s")
  end)

  it("keeps what was stored", function()
    local body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kept"}}'
    local made = shell(curl("/api/v1/namespaces/default/configmaps",
      "-H 'Content-Type: application/json' -d " .. quote(body)))
    local uid = made:match('"uid": ?"([^"]+)"')
    assert.is_truthy(uid, made)
    assert.are.equal(0, (stop()))
    start()
    local read = shell(curl("/api/v1/namespaces/default/configmaps/kept"))
    assert.is_truthy(read:find(uid, 1, true), read)
    assert.are.equal(0, (stop()))
  end)

  it("refuses a second server on its data directory", function()
    local r = clients.run({ PROGRAM, "serve", "--data", data, "--port", "0" })
    assert.are.equal(1, r.code)
    assert.is_truthy((r.out .. r.err):find("cannot start", 1, true), r.out .. r.err)
    assert.are.equal(0, (stop()))
  end)
end)
