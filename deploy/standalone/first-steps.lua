-- SPDX-License-Identifier: Apache-2.0
-- Registers the sample repository with a running server, waits until it is Ready, and prints the
-- package revisions and what to type next. Arguments: data directory, process id of the server.

local cjson = require "cjson"

local data, pid = arg[1], arg[2]
local PATIENCE_S = 60
local NAMESPACED = "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories"

local function read(path)
  local f = io.open(path)
  if not f then return nil end
  local text = f:read("a")
  f:close()
  return text
end

local function fail(text)
  io.stderr:write(text, "\n", "the log is ", data, "/lanai.log\n")
  os.exit(1)
end

local function shell(command)
  local f = assert(io.popen(command))
  local out = f:read("a")
  return out, f:close()
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- A server that has ended is a zombie of this process: it still has an id.
local function alive()
  local status = read("/proc/" .. pid .. "/status")
  return status ~= nil and not status:find("\nState:%s*Z")
end

local function wait_for(what, check)
  local start = os.time()
  while os.time() - start < PATIENCE_S do
    local found = check()
    if found then return found end
    if not alive() then fail("lanai ended while waiting for " .. what) end
    os.execute("sleep 0.02")
  end
  fail("no " .. what .. " after " .. PATIENCE_S .. " s")
end

local url = wait_for("server", function() return read(data .. "/address") end):match("%S+")

-- curl speaks with the administrator's certificate from the kubeconfig.
local function credentials()
  local kubeconfig = read(data .. "/kubeconfig")
  local dir = data .. "/run"
  os.execute("mkdir -p -m 700 " .. quote(dir))
  for name, key in pairs { ca = "certificate%-authority%-data", cert = "client%-certificate%-data",
                           key = "client%-key%-data" } do
    local text = kubeconfig:match(key .. ":%s*\"?([%w+/=]+)")
    shell(("umask 077; printf %%s %s | base64 -d > %s"):format(text, quote(dir .. "/" .. name)))
  end
  return ("--cacert %s --cert %s --key %s"):format(
    quote(dir .. "/ca"), quote(dir .. "/cert"), quote(dir .. "/key"))
end

local with = credentials()

local function request(method, path, body, accept)
  local command = ("curl -sS -X %s %s -H 'Accept: %s' %s %s"):format(
    method, with, accept or "application/json",
    body and ("-H 'Content-Type: application/json' -d " .. quote(cjson.encode(body))) or "",
    quote(url .. path))
  local out = shell(command)
  local ok, answer = pcall(cjson.decode, out)
  return ok and answer or fail("unexpected answer: " .. out)
end

local function ready()
  local repository = request("GET", NAMESPACED .. "/blueprints")
  for _, c in ipairs((repository.status or {}).conditions or {}) do
    if c.type == "Ready" and c.status == "True" then return true end
    if c.reason == "Error" then fail("repository blueprints: " .. c.message) end
  end
end

if request("GET", NAMESPACED .. "/blueprints").kind == "Status" then
  local made = request("POST", NAMESPACED, {
    apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
    metadata = { name = "blueprints" },
    spec = { type = "git", description = "sample packages",
             git = { repo = "file://" .. data .. "/git/blueprints.git", branch = "main" } },
  })
  if made.kind ~= "Repository" then fail("repository not registered: " .. made.message) end
end
wait_for("Ready repository", ready)

local function print_table(t)
  local rows, widths = {}, {}
  local head = {}
  for i, c in ipairs(t.columnDefinitions) do head[i] = c.name:upper() end
  rows[1] = head
  for _, r in ipairs(t.rows) do
    local row = {}
    for i, cell in ipairs(r.cells) do
      row[i] = math.type(cell) == "float" and ("%d"):format(cell) or tostring(cell)
    end
    rows[#rows + 1] = row
  end
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, #cell) end
  end
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do row[i] = cell .. (" "):rep(widths[i] - #cell) end
    print((table.concat(row, "   "):gsub("%s+$", "")))
  end
end

print_table(request("GET", "/apis/porch.kpt.dev/v1alpha1/namespaces/default/packagerevisions", nil,
  "application/json;as=Table;g=meta.k8s.io;v=v1"))
print(([[

lanai serves %s

  export KUBECONFIG=%s/kubeconfig
  kubectl get packagerevisions
  kubectl get packagerevisionresources blueprints.nginx.v2 -o yaml
  porchctl rpkg init my-app --repository=blueprints --workspace=v1 -n default
  porchctl rpkg propose blueprints.my-app.v1 -n default
  porchctl rpkg approve blueprints.my-app.v1 -n default
  git -C %s/git/blueprints.git log --oneline --graph

%s --stop ends it.]]):format(url, data, data, "deploy/standalone/run"))
