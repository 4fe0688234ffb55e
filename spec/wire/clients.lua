-- SPDX-License-Identifier: Apache-2.0
-- Client programs for the wire specs: finds them, runs them against a server that
-- spec/lib/server.lua started, and keeps git repositories behind spec/wire/git_http.py.
--   local kubectl = clients.new("kubectl", server.kubeconfig, home)
--   local r = kubectl("get", "repositories", "-o", "name")     -- r.out, r.err, r.code
--   local w = kubectl:start("get", "repositories", "-w")       -- w:read(), w:stop()
local lib = require("spec.lib.server")
local quote, shell = lib.quote, lib.shell

local M = {}
local Client, Running = {}, {}
Client.__index, Running.__index = Client, Running

local PATIENCE = 20 -- seconds that one client program gets

local function executable(path)
  local _, code = shell("test -f " .. quote(path) .. " -a -x " .. quote(path))
  return code == 0
end

--- The path of a client program (LANAI_PEERS, then PATH); nil and the reason when there is none.
function M.find(name)
  local peers = os.getenv("LANAI_PEERS")
  if peers and executable(peers .. "/" .. name) then
    return peers .. "/" .. name
  end
  local out, code = shell("command -v " .. quote(name))
  if code == 0 then
    return out:match("[^\n]+")
  end
  return nil, ("no %s in LANAI_PEERS or PATH"):format(name)
end

--- describe() of the clients named, or one pending entry with the reason when one is missing.
--- Pass busted's describe and pending: they belong to the file that is being loaded.
function M.describe(names, title, describe, pending, body)
  for _, name in ipairs(names) do
    local path, reason = M.find(name)
    if not path then
      describe(title, function()
        pending(reason)
      end)
      return
    end
  end
  describe(title, body)
end

function M.write(path, bytes)
  local f = assert(io.open(path, "wb"))
  f:write(bytes)
  f:close()
  return path
end

function M.read(path)
  local f = io.open(path, "rb")
  if not f then
    return ""
  end
  local bytes = f:read("a")
  f:close()
  return bytes
end

function M.temporary()
  return (shell("mktemp -d"):match("%S+"))
end

--- Runs a program. argv: list; opts: stdin, cwd, env (map). Returns {out, err, code}.
function M.run(argv, opts)
  opts = opts or {}
  local dir = M.temporary()
  local words = { "cd", quote(opts.cwd or "."), "&& exec env" }
  for name, value in pairs(opts.env or {}) do
    words[#words + 1] = name .. "=" .. quote(value)
  end
  words[#words + 1] = "timeout -k 1 " .. (opts.patience or PATIENCE)
  for _, word in ipairs(argv) do
    words[#words + 1] = quote(word)
  end
  local input = opts.stdin and M.write(dir .. "/in", opts.stdin) or "/dev/null"
  local command = ("( %s ) <%s >%s/out 2>%s/err"):format(table.concat(words, " "), input, dir, dir)
  local _, _, code = os.execute(command)
  local result = { out = M.read(dir .. "/out"), err = M.read(dir .. "/err"), code = code }
  shell("rm -rf " .. dir)
  return result
end

--- A client program; home holds its caches. opts.token: --token on every call.
function M.new(name, kubeconfig, home, opts)
  return setmetatable({
    path = assert(M.find(name)),
    token = opts and opts.token,
    env = { KUBECONFIG = kubeconfig, HOME = home, PORCHCTL_NO_PAGER_HELP = "1" },
  }, Client)
end

function Client:argv(...)
  local argv = { self.path, ... }
  if self.token then
    argv[#argv + 1] = "--token=" .. self.token
  end
  return argv
end

--- Runs it with these words; a last table is opts of M.run.
function Client:__call(...)
  local words, opts = { ... }, {}
  if type(words[#words]) == "table" then
    opts = table.remove(words)
  end
  local env = {}
  for k, v in pairs(self.env) do
    env[k] = v
  end
  for k, v in pairs(opts.env or {}) do
    env[k] = v
  end
  return M.run(self:argv(table.unpack(words)),
    { stdin = opts.stdin, cwd = opts.cwd, env = env, patience = opts.patience })
end

--- Runs it and returns stdout; raises with everything it said unless it exits with 0.
function Client:ok(...)
  local r = self(...)
  if r.code ~= 0 then
    local words = {}
    for _, word in ipairs({ ... }) do
      words[#words + 1] = type(word) == "string" and word or nil
    end
    error(("%s: exit %s\n%s%s"):format(table.concat(words, " "), r.code, r.out, r.err), 2)
  end
  return r.out
end

--- Starts it in the background; read() blocks for the next line of its output (at most PATIENCE
--- seconds, then nil).
function Client:start(...)
  local words = { "exec env" }
  for name, value in pairs(self.env) do
    words[#words + 1] = name .. "=" .. quote(value)
  end
  words[#words + 1] = "timeout " .. PATIENCE
  for _, word in ipairs(self:argv(...)) do
    words[#words + 1] = quote(word)
  end
  local pipe = assert(io.popen("echo $$; " .. table.concat(words, " ") .. " 2>&1"))
  return setmetatable({ pipe = pipe, pid = pipe:read("l") }, Running)
end

function Running:read()
  return self.pipe:read("l")
end

--- Reads lines until one matches; that line, or nil at the end.
function Running:read_until(pattern)
  for line in self.pipe:lines() do
    if line:find(pattern) then
      return line
    end
  end
end

--- Ends it when it still runs; its exit status.
function Running:stop()
  shell("kill " .. self.pid .. " 2>/dev/null")
  return self:wait()
end

function Running:wait()
  local _, _, code = self.pipe:close()
  return code
end

--- Asks until good(status, body) says something true; that, or an error after PATIENCE seconds.
function M.until_answer(server, path, good)
  local deadline = os.time() + PATIENCE
  while true do
    local status, body = server:request("GET", path)
    local found = good(status, body)
    if found then
      return found
    end
    if os.time() > deadline then
      error(("%s stays %s %s"):format(path, status, body), 2)
    end
  end
end

--- Waits until a Repository is Ready.
function M.ready(server, ns, name)
  local path = ("/apis/config.porch.kpt.dev/v1alpha1/namespaces/%s/repositories/%s"):format(ns,
    name)
  M.until_answer(server, path, function(status, body)
    return status == 200 and body:find('"type":%s*"Ready",%s*"status":%s*"True"')
  end)
end

-- git ------------------------------------------------------------------------

local Git = {}
Git.__index = Git

--- Serves a new directory of repositories. opts: user, password, port.
function M.git(opts)
  local self = setmetatable({ root = M.temporary(), opts = opts or {} }, Git)
  self:serve()
  return self
end

function Git:serve()
  local o = self.opts
  local words = { "echo $$; exec python3 spec/wire/git_http.py --root", quote(self.root), "--port",
    tostring(self.port or 0) }
  if o.user then
    words[#words + 1] = ("--user %s --password %s"):format(quote(o.user), quote(o.password))
  end
  self.pipe = assert(io.popen(table.concat(words, " ")))
  self.pid = self.pipe:read("l")
  self.port = tonumber(self.pipe:read("l"))
end

function Git:halt()
  shell("kill " .. self.pid)
  self.pipe:close()
end

--- From now on another password opens it.
function Git:set_password(password)
  self:halt()
  self.opts.password = password
  self:serve()
end

function Git:stop()
  self:halt()
  shell("rm -rf " .. quote(self.root))
end

function Git:url(name)
  return ("http://127.0.0.1:%d/%s"):format(self.port, name)
end

--- A bare repository with one commit on main that holds README.md. name: "dir/x.git".
function Git:make(name)
  local path = quote(self.root .. "/" .. name)
  shell("rm -rf " .. path .. " && git init -q --bare -b main " .. path)
  local commit = M.run({ "git", "-C", self.root .. "/" .. name, "fast-import", "--quiet" }, {
    stdin = "commit refs/heads/main\ncommitter t <t@example.com> 1700000000 +0000\ndata 5\nstart\n"
      .. "M 100644 inline README.md\ndata 5\nhello\n\n",
  })
  assert(commit.code == 0, commit.err)
  return self:url(name)
end

--- A bare repository from a bundle: main and the tags.
function Git:unbundle(bundle, name)
  local path = self.root .. "/" .. name
  local out, code = shell(("git init -q --bare -b main %s && git -C %s fetch -q %s "
    .. "'refs/heads/main:refs/heads/main' 'refs/tags/*:refs/tags/*'"):format(quote(path),
    quote(path), quote(bundle)))
  assert(code == 0, out)
  return self:url(name)
end

--- Output of git in one of the repositories.
function Git:ask(name, arguments)
  local out, code = shell(("git -C %s %s"):format(quote(self.root .. "/" .. name), arguments))
  assert(code == 0, out)
  return out
end

return M
