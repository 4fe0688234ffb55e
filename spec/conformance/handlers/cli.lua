-- SPDX-License-Identifier: Apache-2.0
-- porchctl: what its requests need of the server. What happens inside the client is not ours.
local ask = require("spec.conformance.lib.ask")
local objects = require("spec.conformance.lib.objects")
local server_lib = require("spec.conformance.lib.server")
local shell = require("spec.conformance.lib.shell")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local CLIENT = "behaviour of the porchctl client"

local function client()
  return nil, CLIENT
end

for _, op in ipairs { "clone-flags", "get-filter-rows", "print-fn-result", "pull", "push",
  "repo-sync-run-once", "upgrade-args", "upgrade-find-upstream", "upgrade-strategy" } do
  M["porch.cli." .. op] = client
end

M["fixture"] = function()
  return nil, "data for other cases: nothing is expected of it"
end

-- The server reads the same schedules.
M["porch.cli.cron"] = function(case)
  local got = ask.run("cron", yaml.encode { text = case:param("expr") }).answer
  return got == not case:param("expectError"), got and "accepted" or "refused"
end

-- `porchctl rpkg get --name --revision --workspace` filters as field selectors do.
M["porch.cli.get-matches"] = function(case)
  local flags, spec = case:param("flags") or {}, objects.from_go(case:param("object").object
    or case:param("object").Object).spec or {}
  local fields = { package = spec.packageName, workspace = spec.workspaceName,
    revision = spec.revision }
  local terms = { package = flags.packageName, workspace = flags.workspace,
    revision = flags.revision ~= -2 and flags.revision or nil }
  local kube = require("probe_kube")
  local matches, kind, message = kube.select("porch.kpt.dev/v1alpha1/packagerevisions", "",
    objects.selector(terms), { yaml.encode(objects.revision(fields)) })
  if not matches then
    return false, ("%s: %s"):format(kind, message)
  end
  return matches[1] == case:param("expected"), tostring(matches[1])
end

M["porch.cli.get-matches-v1alpha2"] = function()
  return nil, "v1alpha2 is not served in this version"
end

-- --- repo register ---

-- True when everything that was sent came back; the server may add members. Empty values may be
-- left out of the answer.
local function contains(got, sent)
  if type(sent) ~= "table" then
    return got == sent or sent == ""  and got == nil
  end
  if type(got) ~= "table" then
    return next(sent) == nil and got == nil
  end
  for key, value in pairs(sent) do
    if not contains(got[key], value) then
      return false, key
    end
  end
  return true
end

local function post(server, request, dir)
  local sent = assert(shell.read(dir .. "/" .. request.body))
  local status, body = server:request(request.method, request.path, yaml.to_json(sent))
  if status ~= 201 then
    return nil, ("%s %s: %d %s"):format(request.method, request.path, status, body)
  end
  local same, key = contains(yaml.from_json(body), yaml.parse(sent))
  if not same then
    return nil, ("%s: '%s' is not as sent: %s"):format(request.body, key, body)
  end
  local name = yaml.parse(sent).metadata.name
  return request.path .. "/" .. name
end

-- Registers as one porchctl call does, and unregisters again.
local function register(server, entry, dir)
  local made = {}
  for _, request in ipairs(entry.requests) do
    local path, text = post(server, request, dir)
    if not path then
      return nil, entry.name .. ": " .. text
    end
    made[#made + 1] = path
  end
  for i = #made, 1, -1 do
    local status, body = server:request("DELETE", made[i])
    if status ~= 200 then
      return nil, ("%s: DELETE %s: %d %s"):format(entry.name, made[i], status, body)
    end
  end
  return true
end

local function make_namespaces(server, entries)
  local seen = { default = true }
  for _, entry in ipairs(entries) do
    for _, request in ipairs(entry.requests) do
      local ns = request.path:match("/namespaces/([^/]+)")
      if not seen[ns] then
        seen[ns] = true
        server:request("POST", "/api/v1/namespaces", yaml.encode { apiVersion = "v1",
          kind = "Namespace", metadata = { name = ns } })
      end
    end
  end
end

M["porch.cli.repo-reg"] = function(case)
  return server_lib.with(function(server)
    make_namespaces(server, case.spec.cases)
    for _, entry in ipairs(case.spec.cases) do
      local done, text = register(server, entry, case.dir)
      if not done then
        return false, text
      end
    end
    return true
  end)
end

return M
