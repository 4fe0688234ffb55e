-- SPDX-License-Identifier: Apache-2.0
-- What the API server checks and decides: core/engine (validation, choice of the workflow,
-- credentials) and core/kube (selectors).
local engine = require("probe_engine")
local krm = require("probe_krm")
local kube = require("probe_kube")
local objects = require("spec.conformance.lib.objects")
local world = require("spec.conformance.lib.world")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local RESOURCES = "porch.kpt.dev/v1alpha1/packagerevisionresources"

-- Completes what a table entry leaves out; status is always there.
local function object_of(go, defaults)
  local object = objects.from_go(go) or {}
  object.apiVersion, object.kind = "porch.kpt.dev/v1alpha1", "PackageRevision"
  object.metadata = object.metadata or {}
  object.metadata.name = object.metadata.name or defaults.name
  object.metadata.namespace = object.metadata.namespace or world.NS
  object.spec = object.spec or {}
  object.spec.repository = object.spec.repository or defaults.repository
  object.spec.packageName = object.spec.packageName or defaults.package
  object.spec.workspaceName = object.spec.workspaceName or defaults.workspace
  return object
end

local DEFAULTS = { name = "repo.package.w1", repository = "repo", package = "package",
  workspace = "w1" }

-- --- which workflow ---

local function workflow_of(err)
  return err and err.message and err.message:match("workflow:([%w-]+)")
end

-- Porch names an action for its log; here it is the workflow. No task means init, and a task of an
-- unknown type is refused (Porch refuses it later).
M["porch.registry.create-action"] = function(case)
  local action = { init = "Init", clone = "Clone", copy = "Copy", upgrade = "Upgrade" }
  return world.with({ namers = true }, function(w)
    w:repository("repo")
    local object = object_of(case:param("pkgRev"), DEFAULTS)
    local tasks = object.spec.tasks
    if not tasks or #tasks == 0 then
      object.spec.tasks = nil
      action.init = "Create"
    end
    for _, task in ipairs(object.spec.tasks or {}) do
      task[task.type] = task[task.type] or {} -- the table has types alone, a request both
    end
    local _, err = w:create(object.spec)
    local got = workflow_of(err)
    if not got and err and err.message:find("not supported", 1, true) then
      action.none = "Create"
      got = "none"
    end
    return action[got] == case:param("expected"),
      ("workflow %s: %s"):format(tostring(got), err and err.message or "no error")
  end)
end

local ACTIONS = { approve = "Approve", reject = "Reject", propose = "Propose",
  ["propose-delete"] = "Propose-delete", update = "Update" }

-- True when the expectation ("Approve/Reject") names the action; "" asks for no transition.
local function names(expected, action)
  if expected == "" then
    return action == nil or action == "Update"
  end
  for word in expected:gmatch("[^/]+") do
    if word == action then
      return true
    end
  end
  return false
end

M["porch.registry.lifecycle-transition"] = function(case)
  local old, new = case:param("oldPkgRev"), case:param("newPkgRev")
  if not old or not new then
    return nil, "a nil object: a request always has both"
  end
  return world.with({ namers = true }, function(w)
    w:repository("repo")
    old, new = object_of(old, DEFAULTS), object_of(new, DEFAULTS)
    w:revision(old, { tree = ("0"):rep(40) })
    local from, to = old.spec.lifecycle, new.spec.lifecycle
    local approval = from ~= to and from ~= "Draft" and from ~= nil
    local _, err = w:update(old.metadata.name, yaml.encode(new), approval and "approval" or nil)
    local got = workflow_of(err)
    if not got and err and err.kind == "invalid" then
      return nil, "a transition that the API refuses: nothing is left to name"
    end
    return names(case:param("expected") or "", ACTIONS[got]),
      ("workflow %s: %s"):format(tostring(got), err and err.message or "no error")
  end)
end

-- --- validation ---

local function judge(valid, ok, err)
  if valid then
    return ok ~= nil, err and err.message
  end
  return ok == nil, "accepted"
end

M["porch.registry.strategy-validate"] = function(case)
  local object = object_of(case:param("obj"), DEFAULTS)
  return judge(case:param("valid"), engine.validate_create(yaml.encode(object)))
end

M["porch.registry.update-strategy"] = function(case)
  local old, new = object_of(case:param("old"), DEFAULTS), object_of(case:param("new"), DEFAULTS)
  return judge(case:param("valid"), engine.validate_update("", yaml.encode(old),
    yaml.encode(new)))
end

-- --- selectors ---

-- JSON of the revision with these fields, named as they say.
local function encode_named(fields)
  fields.name = krm.name_emit(fields.repository, fields.package, fields.workspace)
  return yaml.encode(objects.revision(fields))
end

-- Objects that the filter must tell apart: one with its values, and one per value with another.
local function samples(fields)
  local base = { namespace = "ns", repository = "repo", package = "package", workspace = "w1",
    revision = 7, lifecycle = "Draft" }
  for name, value in pairs(fields) do
    base[name] = value
  end
  local list = { encode_named(base) }
  for name, value in pairs(fields) do
    local other = {}
    for key, text in pairs(base) do
      other[key] = text
    end
    other.name = nil
    other[name] = math.type(value) and value + 1 or "other"
    list[#list + 1] = encode_named(other)
  end
  return list
end

M["porch.registry.field-selector-parse"] = function(case)
  local selector = case:param("selector") or ""
  local filter = case:param("wantFilter") or {}
  local list = samples(objects.key_fields(filter.Key))
  local matches, kind, message = kube.select(RESOURCES, "", selector, list)
  if not matches then
    local refused = case:param("wantErr") or case:param("expectErr")
    return refused ~= nil and refused ~= false and refused ~= "",
      ("'%s' is refused: %s: %s"):format(selector, kind, message)
  elseif case:param("wantErr") then
    if selector:find("!=", 1, true) then
      return true, nil, "field-selector-grammar"
    end
    return false, ("'%s' is accepted"):format(selector)
  end
  for i, match in ipairs(matches) do
    if match ~= (i == 1) then
      return false, ("'%s' %s %s"):format(selector, match and "matches" or "misses", list[i])
    end
  end
  return true
end

M["porch.registry.field-selector-match"] = function(case)
  local filter, p = case:param("filter") or {}, case:param("p") or {}
  local fields = objects.key_fields(p.PrKey)
  fields.lifecycle = p.PackageLifecycle
  fields.labels = p.PackageRevision and objects.from_go(p.PackageRevision.ObjectMeta or {}).labels
  return objects.match(case, filter, fields, case:param("wantMatches"))
end

-- --- credentials ---

-- The corpus has plain texts where a Secret has base64.
local function secret_json(go)
  local data = require("probe_data")
  local secret = objects.from_go(go)
  secret.apiVersion, secret.kind = "v1", "Secret"
  secret.metadata.namespace = world.NS
  for key, text in pairs(secret.data or {}) do
    secret.data[key] = data.base64(text)
  end
  return yaml.encode(secret), secret.metadata.name
end

M["porch.registry.token-credential"] = function(case)
  return world.with({}, function(w)
    local name = "missing"
    if case:param("readerSecret") then
      local json
      json, name = secret_json(case:param("readerSecret"))
      assert(w.engine:put("secrets", json))
    end
    w:repository("repo", { repo = "file:///nonexistent/repo.git", branch = "main",
      secretRef = { name = name } })
    local got, err = w.engine:credential(world.NS, "repo")
    local want, text = case:param("expectedCredential"), case:param("expectedErrString")
    if want then
      return got and got.type == "bearer" and got.token == want.BearerToken,
        err and err.message or "another token"
    elseif got then
      if got.type ~= "bearer" then
        return true, nil, "secret-types"
      end
      return false, "accepted"
    elseif text and not case:injected() and not err.message:find(text, 1, true) then
      if err.message:find("no resolver for secret with type", 1, true) then
        return true, nil, "secret-types"
      end
      return false, err.message
    end
    return true
  end)
end

return M
