-- SPDX-License-Identifier: Apache-2.0
-- Creations and saves through core/engine and the shipped workflows.
local data = require("probe_data")
local objects = require("spec.conformance.lib.objects")
local server = require("spec.conformance.lib.server")
local world = require("spec.conformance.lib.world")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

-- Stores existing revisions given as keys, with their repositories.
local function store(w, keys)
  local repositories = {}
  for i, entry in ipairs(keys) do
    local f = objects.key_fields(entry.PrKey)
    f.workspace = f.workspace or "w" .. i
    f.lifecycle = "Published"
    f.revision = f.revision or 1
    f.name = ("%s.%s.%s"):format(f.repository, f.package:gsub("/", "."), f.workspace)
    if not repositories[f.repository] then
      repositories[f.repository] = true
      w:repository(f.repository)
    end
    f.namespace = world.NS
    w:revision(objects.revision(f), { tree = ("0"):rep(40) })
  end
  return repositories
end

-- Creates a package beside existing ones; the rules are those of every creation.
local function create_beside(keys, repository, package, workspace)
  return world.with({}, function(w)
    if not store(w, keys)[repository] then
      w:repository(repository)
    end
    local object, err = w:create { repository = repository, packageName = package,
      workspaceName = workspace or "new" }
    return object, err and err.message
  end)
end

local MOCK = "an error injected into a mock: "

local function judge(case, wants_error, object, message)
  local text = case:param("errorContains")
  if not wants_error then
    return object ~= nil, message
  elseif object then
    return false, "created"
  end
  return not text or message:find(text, 1, true) ~= nil, message
end

-- Both orders: the rule does not depend on which package was there first.
M["porch.engine.paths-overlap"] = function(case)
  local a, b = case:param("path1") or "", case:param("path2") or ""
  if a == "" or b == "" then
    return nil, "an empty package name, which no request can have"
  end
  for _, order in ipairs { { a, b }, { b, a } } do
    local there = { { PrKey = { PkgKey = { RepoKey = { Name = "repo" }, Package = order[1] } } } }
    local object, message = create_beside(there, "repo", order[2])
    local rule = message and (message:find("cannot be nested", 1, true)
      or message:find("already exists", 1, true)) ~= nil
    if not object and not rule then
      return false, message
    elseif (object == nil) ~= case:param("overlaps") then
      return false, ("'%s' beside '%s': %s"):format(order[2], order[1], message or "created")
    end
  end
  return true
end

M["porch.engine.validate-path-overlap"] = function(case)
  if case:injected() then
    return nil, MOCK .. case:injected()
  end
  local spec = case:param("newPr").Spec
  return judge(case, case:param("expectError"),
    create_beside(case:param("existingRevs") or {}, spec.RepositoryName, spec.PackageName))
end

-- The rule that no revision of the package may exist is shared by clone and init, and init is what
-- can run. The new revision is a constant of the test of the peer, not in the table: it is of the
-- package of the existing ones, unless the name of the case says that one of the two differs.
M["porch.engine.clone-task-validation"] = function(case)
  if case:injected() then
    return nil, MOCK .. case:injected()
  end
  local existing = case:param("existingRevs") or {}
  local there = existing[1] and objects.key_fields(existing[1].PrKey) or {}
  local repository, package = there.repository or "test-repo", there.package or "test-package"
  if case.name:find("different repo", 1, true) then
    repository = "test-repo"
  elseif case.name:find("different p", 1, true) then
    package = "test-package-of-its-own"
  end
  return judge(case, case:param("expectedError"),
    create_beside(existing, repository, package, "new"))
end

-- Without a resourceVersion the request ends before the engine: a server is asked.
local function put_without_version(case)
  local porch = "/apis/porch.kpt.dev/v1alpha1/namespaces/default/"
  return server.with(function(s)
    local function send(method, path, object)
      local status, body = s:request(method, path, yaml.encode(object))
      return status, yaml.from_json(body)
    end
    assert(send("POST", "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories",
      { apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
        metadata = { name = "repo" }, spec = { type = "git",
          git = { repo = "file:///nonexistent/repo.git", branch = "main" } } }) == 201)
    assert(send("POST", porch .. "packagerevisions",
      { apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevision", spec = {
        repository = "repo", packageName = "p", workspaceName = "w1" } }) == 201)
    local status, answer = send("PUT", porch .. "packagerevisionresources/repo.p.w1",
      { apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevisionResources",
        metadata = { name = "repo.p.w1", namespace = "default" }, spec = { resources = {
          Kptfile = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n" } } })
    return status == 500 and answer.message:find(case:param("errorContains"), 1, true) ~= nil,
      ("%d %s"):format(status, answer.message or "saved")
  end)
end

M["porch.engine.update-resources-errors"] = function(case)
  if case:param("closeErr") then
    return nil, "a failing push of a draft: drafts are in the store, where there is no push"
  elseif case:injected() then
    return nil, MOCK .. case:injected()
  elseif case:param("newRV") == nil or case:param("newRV") == "" then
    return put_without_version(case)
  end
  return world.with({}, function(w)
    w:repository("repo")
    local object = assert(w:create { repository = "repo", packageName = "p",
      workspaceName = "w1" })
    local name = object.metadata.name
    local files = w:files(name)
    local json, private = w.engine:get("packagerevisions", world.NS, name)
    json = data.set_at(json, "spec.lifecycle", '"' .. case:param("lifecycle") .. '"')
    local rv = assert(w.engine:put("packagerevisions", json, private))
    files["new.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\n"
    local stale = case:param("oldRV") ~= case:param("newRV")
    local ok, err = w:save(name, files, stale and rv - 1 or nil)
    local text = case:param("errorContains")
    if not case:param("expectError") then
      return ok ~= nil and w:files(name)["new.yaml"] ~= nil, err and err.message
    end
    return not ok and (not text or err.message:find(text, 1, true) ~= nil),
      err and err.message or "saved"
  end)
end

return M
