-- SPDX-License-Identifier: Apache-2.0
--
-- The listener's cost: `lua5.4 spec/bench/http.lua` from the top directory, LANAI_BUILD set to a
-- Release build. Latency is compared with a bare libmicrohttpd server; stream speed is per second
-- of the server's processor time; memory is growth of this process per connection.
dofile "spec/helper.lua"
local probe = require "probe_http"

local dir = os.tmpname()
os.remove(dir)
assert(os.execute("mkdir " .. dir))

local function read_file(path)
  local f <close> = assert(io.open(path))
  return f:read("a")
end

local function run(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read("a")
end

local function client(server, case, ...)
  return ("python3 -W ignore spec/core/http/client.py %s %d %s %s")
    :format(case, server:port(), dir, table.concat({ ... }, " "))
end

run(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
  .. "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
  .. "-keyout %s/server.key -out %s/server.crt 2>&1"):format(dir, dir))
local config = { cert = read_file(dir .. "/server.crt"), key = read_file(dir .. "/server.key") }

local function latency(name, server)
  local best, worst = math.huge, nil
  for _ = 1, 5 do
    local p50, p99 = run(client(server, "request_bench", 20000)):match("(%S+) (%S+)")
    if tonumber(p50) < best then
      best, worst = tonumber(p50), tonumber(p99)
    end
  end
  print(("%-28s p50 %.4f ms  p99 %.4f ms"):format(name, best, worst))
  return best
end

do
  local bare, ours = probe.bare(config), assert(probe.start(config))
  local b = latency("1 KiB GET, bare", bare)
  local o = latency("1 KiB GET, lanai", ours)
  print(("%-28s %.2f"):format("ratio of p50", o / b))
  bare:stop()
  ours:stop()
end

do
  local server = assert(probe.start(config))
  local bytes = 2000000000
  local cpu = probe.cpu()
  local got = run(("curl -s --cacert %s/server.crt -w '%%{size_download} %%{speed_download}' "
    .. "-o /dev/null 'https://localhost:%d/list?%d'"):format(dir, server:port(), bytes))
  local size, speed = got:match("(%d+) (%d+)")
  assert(tonumber(size) == bytes, got)
  print(("%-28s %.0f MB/s of processor time, %.0f MB/s on the clock"):format("stream",
    bytes / 1e6 / (probe.cpu() - cpu), tonumber(speed) / 1e6))
  server:stop()
end

local function memory(name, kind, n)
  local server = assert(probe.start(config))
  run(client(server, "request_bench", 100))
  local before = probe.rss()
  local go = dir .. "/go"
  run("rm -f " .. go .. "; mkfifo " .. go)
  local pipe = assert(io.popen(client(server, "hold_open", kind, n) .. " < " .. go))
  local hold = assert(io.open(go, "w"))
  assert(pipe:read("l") == "ready")
  local grown = probe.rss() - before
  local pushed = ""
  if kind ~= "connect" and kind ~= "idle" then
    server:push(("e"):rep(3000) .. "\n")
    run(client(server, "request_bench", 2000))
    pushed = (", after an event of 3 KB %.1f KiB"):format((probe.rss() - before) / n)
  end
  print(("%-28s %.1f KiB%s"):format(name, grown / n, pushed))
  hold:write("\n")
  hold:close()
  pipe:close()
  server:stop()
end

print(("%-28s %d KiB"):format("resident at rest", probe.rss()))
memory("per connection, no request", "connect", 500)
memory("per idle connection", "idle", 500)
memory("per watch", "watch", 500)
memory("per watch, second request", "watch-after-get", 500)
run("rm -r " .. dir)
