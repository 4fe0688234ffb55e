-- SPDX-License-Identifier: Apache-2.0
-- Repositories: workflows/sync*.lua for conditions and retry intervals, core/kube for filters,
-- lua/lanai/revision.lua for placeholders.
local ask = require("spec.conformance.lib.ask")
local kube = require("probe_kube")
local objects = require("spec.conformance.lib.objects")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local REVISIONS = "porch.kpt.dev/v1alpha1/packagerevisions"

-- --- sync ---

local OBJECT = { apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
  metadata = { name = "repo", namespace = "ns", generation = 1 },
  spec = { type = "git", git = { repo = "file:///nonexistent", branch = "main" } } }

local function sync(verb, outcome)
  return ask.with_env(function(env)
    return ask.workflow(env, "Repository/" .. verb, yaml.encode {
      object = OBJECT, now = 1000000, outcome = outcome,
      fact = { synced_before = false, sync_frequency = 3600, health_frequency = 300 } })
  end)
end

local function condition_of(status, message)
  if status == "ready" then
    return sync("sync-result", { action = "sync", ok = true, error = "", revisions = 0 })
  elseif status == "sync-in-progress" then
    return sync("sync")
  elseif status == "error" then
    return sync("sync-result", { action = "sync", ok = false, error = message })
  end
end

M["porch.repository.condition"] = function(case)
  local result = condition_of(case:param("status"), case:param("errorMsg") or "")
  if not result then
    return nil, "a state that no repository of lanai can be in"
  end
  local got = result.status.conditions[1]
  for field, want in pairs { type = "Ready", status = case:param("expected"),
    reason = case:param("reason"), message = case:param("message") } do
    if got[field] ~= want then
      return false, ("%s is '%s', expected '%s'"):format(field, tostring(got[field]), want)
    end
  end
  return #result.status.conditions == 1, "more than one condition"
end

local UNITS = { Second = 1, Minute = 60, Hour = 3600 }

M["porch.repository.retry-interval"] = function(case)
  local n, unit = case:param("expected"):match("^(%d+) (%a+)$")
  local err = case:param("err")
  local got = sync("sync-result", { action = "sync", ok = false,
    error = type(err) == "table" and err.error or err or "" }).next
  return got == tonumber(n) * UNITS[unit], ("retried after %d s"):format(got)
end

-- --- filters ---

M["porch.repository.filter-matches"] = function(case)
  local p = case:param("p") or {}
  local fields = { namespace = p.namespace, repository = p.repoName, package = p.packageName,
    workspace = p.workspaceName, revision = p.revision, lifecycle = p.lifecycle,
    labels = p.labels }
  if p.path and p.path ~= "" then
    fields.package = p.path .. "/" .. (p.packageName or "")
  end
  return objects.match(case, case:param("filter") or {}, fields, not case:param("negative"))
end

-- name, first and second indexed value, namespace, contradiction
local function plan(case, request_ns)
  local filter = case:param("filter") or {}
  return kube.plan(REVISIONS, objects.selector(objects.key_fields(filter.Key)), request_ns)
end

M["porch.repository.filter-namespace"] = function(case)
  local request_ns = case:param("ns") or case:param("namespace")
  local name, kind, _, ns, nothing = plan(case, request_ns)
  local refused = name == nil and kind == "plain"
  local matches = not refused and not nothing
  if matches ~= case:param("wantMatches") then
    return false, matches and "matches" or "does not match"
  end
  return not matches or (ns or "") == (case:param("wantFilteredNamespace") or ""),
    "namespace " .. tostring(ns)
end

M["porch.repository.filter-repository"] = function(case)
  local _, repository = plan(case, nil)
  return (repository or "") == case:param("wantFilteredRepo"),
    "repository " .. tostring(repository)
end

-- --- placeholders ---

M["porch.repository.is-placeholder"] = function(case)
  local pr = case:param("pr")
  local resolver = case:param("resolver")
  if pr.revision == -1 and not (resolver and yaml.given(resolver.repo)) then
    return nil, "a revision without its Repository: lanai removes both together"
  end
  local object = objects.revision { repository = pr.repoName, revision = pr.revision,
    workspace = pr.workspaceName, package = "package" }
  local got = ask.run("placeholder", yaml.encode { object = object }, function(env)
    local repository = resolver and objects.from_go(resolver.repo)
    if repository then
      repository.metadata = { name = pr.repoName, namespace = "ns" }
      assert(env:put("repositories", "ns", pr.repoName, yaml.encode(repository)))
    end
  end)
  return got.answer == case:param("want"), "placeholder is " .. tostring(got.answer)
end

-- --- what lanai does not have ---

M["porch.repository.cache-type"] = function()
  return nil, "choice between Porch's two caches; lanai has one store"
end

M["porch.repository.db-options-env"] = function()
  return nil, "environment of Porch's database cache; lanai's store is a file in its data directory"
end

return M
