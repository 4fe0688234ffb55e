-- SPDX-License-Identifier: Apache-2.0
-- A `lanai serve` on a temporary data directory, for specs:
--   local server = require("spec.lib.server").start()
--   local status, body = server:request("GET", "/readyz")
--   server:stop()
-- server.data, .port, .url, .kubeconfig, .ca, .cert, .key name what a client program needs.
-- The program is found as spec/lib/lanai.py says (LANAI, LANAI_BUILD, build/release).
local M = {}
local Server = {}
Server.__index = Server

--- Runs a shell command. Returns its output, its exit status.
function M.shell(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local out = pipe:read("a")
  local _, _, code = pipe:close()
  return out, code
end

local function quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end
M.quote = quote

local function write(path, bytes)
  local f = assert(io.open(path, "wb"))
  f:write(bytes)
  f:close()
end

--- Starts a server. opts.data: an existing data directory that stop() leaves alone; opts.flags:
--- list of further flags of `lanai serve`.
function M.start(opts)
  opts = opts or {}
  local self = setmetatable({ made = not opts.data }, Server)
  self.data = opts.data or M.shell("mktemp -d"):match("%S+")
  local words = { "python3 spec/lib/lanai.py start --data", quote(self.data) }
  for _, flag in ipairs(opts.flags or {}) do
    words[#words + 1] = quote(flag)
  end
  local out, code = M.shell(table.concat(words, " "))
  if code ~= 0 then
    self:stop()
    error(out, 2)
  end
  local lines = {}
  for line in out:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  self.pid, self.port = lines[1], lines[2]
  self.ca, self.cert, self.key = lines[3], lines[4], lines[5]
  self.kubeconfig = self.data .. "/kubeconfig"
  self.url = "https://127.0.0.1:" .. self.port
  return self
end

--- Sends a request with the administrator's certificate. headers: map. Returns status, body,
--- response headers as text; status 0 when there was no answer.
function Server:request(method, path, body, headers)
  local words = { "curl -sS --path-as-is -X", method, "--cacert", quote(self.ca), "--cert",
    quote(self.cert), "--key", quote(self.key), "-D", quote(self.data .. "/.headers"), "-o",
    quote(self.data .. "/.answer"), "-w '%{http_code}'" }
  if body then
    write(self.data .. "/.body", body)
    words[#words + 1] = "--data-binary @" .. quote(self.data .. "/.body")
    headers = headers or {}
    headers["Content-Type"] = headers["Content-Type"] or "application/json"
  end
  for name, value in pairs(headers or {}) do
    words[#words + 1] = "-H " .. quote(name .. ": " .. value)
  end
  words[#words + 1] = quote(self.url .. path)
  os.remove(self.data .. "/.answer")
  local out = M.shell(table.concat(words, " "))
  local status = tonumber(out:match("(%d%d%d)%s*$")) or 0
  local answer, head = io.open(self.data .. "/.answer", "rb"), io.open(self.data .. "/.headers")
  local text, head_text = answer and answer:read("a") or out, head and head:read("a") or ""
  if answer then
    answer:close()
  end
  if head then
    head:close()
  end
  return status, text, head_text
end

--- Ends the server (signal: TERM when nil) and waits for its end. Removes the data directory
--- when start() made it, unless keep is true.
function Server:stop(signal, keep)
  if self.pid then
    M.shell(("kill -%s %s; tail --pid=%s -f /dev/null"):format(signal or "TERM", self.pid,
      self.pid))
    self.pid = nil
  end
  if self.made and not keep then
    M.shell("rm -rf " .. quote(self.data))
  end
end

return M
