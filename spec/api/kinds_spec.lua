-- SPDX-License-Identifier: Apache-2.0

local files = require("spec.api.support")

local PORCH = "porch.kpt.dev/v1alpha1"

describe("kind files", function()
  local model

  setup(function()
    model = files.model("api")
  end)

  it("load and give every kind of the inventory", function()
    local seen = {}
    for _, kind in ipairs(model.kinds) do
      seen[#seen + 1] = kind.group_version .. "/" .. kind.resource
    end
    assert.same({
      "v1/configmaps", "v1/events", "v1/namespaces", "v1/secrets", "v1/services",
      "apiextensions.k8s.io/v1/customresourcedefinitions",
      "authentication.k8s.io/v1/selfsubjectreviews", "authentication.k8s.io/v1/tokenreviews",
      "authentication.k8s.io/v1beta1/selfsubjectreviews",
      "authorization.k8s.io/v1/localsubjectaccessreviews",
      "authorization.k8s.io/v1/selfsubjectaccessreviews",
      "authorization.k8s.io/v1/selfsubjectrulesreviews",
      "authorization.k8s.io/v1/subjectaccessreviews",
      "config.porch.kpt.dev/v1alpha1/repositories", "coordination.k8s.io/v1/leases",
      "events.k8s.io/v1/events", PORCH .. "/packagerevisionresources",
      PORCH .. "/packagerevisions", PORCH .. "/packages",
      "rbac.authorization.k8s.io/v1/clusterrolebindings",
      "rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io/v1/rolebindings",
      "rbac.authorization.k8s.io/v1/roles",
    }, seen)
  end)

  it("put porch first and the other groups in order of preference", function()
    local names = {}
    for _, group in ipairs(model.groups) do
      names[#names + 1] = group.name
    end
    assert.equal("config.porch.kpt.dev", names[1])
    assert.equal("porch.kpt.dev", names[2])
    local versions = {}
    for _, group in ipairs(model.groups) do
      if group.name == "authentication.k8s.io" then
        for _, version in ipairs(group.versions) do
          versions[#versions + 1] = version.name
        end
      end
    end
    assert.same({ "v1", "v1beta1" }, versions)
  end)

  it("know only the documented column sources", function()
    local known = {
      "^%.[%w.|]+$", "^condition:%w+$", "^label:[%w./-]+$", "^count:%.[%w.+]+$", "^ref:%.[%w.]+$",
      "^ref%-lower:%.[%w.]+$", "^age:%.[%w.|]+$", "^age$",
    }
    for _, kind in ipairs(model.kinds) do
      for _, column in ipairs(kind.columns) do
        local ok = false
        for _, pattern in ipairs(known) do
          ok = ok or column.source:match(pattern) ~= nil
        end
        assert(ok, kind.file .. ": " .. column.source)
      end
    end
  end)

  -- A path of a column or selector must lead to a declared field (or into a free-form one).
  local function leads_somewhere(kind, path)
    local schema = kind.schema
    for step in path:gsub("%[%]$", ""):gmatch("[^.]+") do
      local found
      for _, field in ipairs(schema and schema.fields or {}) do
        found = found or field.name == step and field
      end
      if not found then
        return false
      elseif found.type == "any" then
        return true
      end
      schema = found.object
    end
    return true
  end

  it("select, index and show only fields that exist", function()
    for _, kind in ipairs(model.kinds) do
      for _, path in ipairs(kind.selectable) do
        -- Lifecycle and labels of a file list are those of its package revision.
        local of_revision = kind.kind == "PackageRevisionResources"
          and (path == "spec.lifecycle" or path:match("packageMetadata"))
        assert(of_revision or leads_somewhere(kind, path), kind.file .. ": " .. path)
      end
      for _, column in ipairs(kind.columns) do
        local paths = column.source:match("^%a[%a-]*:(%..+)$") or column.source
        for path in paths:gmatch("%.([^|+]+)") do
          assert(paths:sub(1, 1) ~= "." or leads_somewhere(kind, path), kind.file .. ": " .. path)
        end
      end
    end
  end)

  it("refuse verbs only with messages that exist", function()
    local refused = 0
    for _, kind in ipairs(model.kinds) do
      for _, id in pairs(kind.refuse) do
        refused = refused + 1
        assert.is_string(model.messages[id])
      end
    end
    assert.equal(3, refused)
  end)
end)

describe("look-ups", function()
  local probe = require("probe_base")

  it("find every kind by URL and by object, and nothing else", function()
    local i = 1
    while probe.kind_at(i) do
      local kind = probe.kind_at(i)
      local group, version = kind.group_version:match("^(.-)/?([^/]+)$")
      assert.same(kind, probe.kind_find(group, version, kind.resource))
      assert.same(kind, probe.kind_find_object(kind.group_version, kind.kind))
      assert.is_true(probe.group_version_has(group, version))
      assert.is_nil(probe.kind_find(group, version, kind.resource .. "x"))
      assert.is_nil(probe.kind_find(group, version, kind.kind))
      assert.is_nil(probe.kind_find_object(kind.group_version, kind.resource))
      i = i + 1
    end
    assert.equal(24, i)
    assert.is_nil(probe.kind_find("", "", ""))
    assert.is_nil(probe.kind_find("zzz", "v1", "pods"))
    assert.is_false(probe.group_version_has("porch.kpt", "v1alpha1"))
    assert.is_false(probe.group_version_has("zzz", "v1"))
    assert.is_false(probe.group_version_has("porch.kpt.dev", "v1"))
    assert.is_false(probe.group_version_has("porch.kpt.dev", ""))
    assert.is_false(probe.group_version_has("", "v2"))
  end)

  it("give the package revision as its clients expect it", function()
    local kind = probe.kind_find("porch.kpt.dev", "v1alpha1", "packagerevisions")
    assert.equal("PackageRevisionList", kind.list_kind)
    assert.equal("packagerevisions", kind.store_kind)
    assert.is_true(kind.namespaced)
    assert.equal(1, kind.subresources)
    assert.same({ "spec.repository", "spec.packageName" }, kind.indexed)
    local names = {}
    for i, column in ipairs(kind.columns) do
      names[i] = column.name .. ":" .. column.type
    end
    assert.same({
      "Name:string", "Package:string", "WorkspaceName:string", "Revision:int", "Latest:boolean",
      "Lifecycle:string", "Repository:string",
    }, names)
    assert.equal("0", kind.columns[4].missing)
  end)

  it("keep both Event kinds in the same rows", function()
    local core = probe.kind_find("", "v1", "events")
    local other = probe.kind_find("events.k8s.io", "v1", "events")
    assert.equal("events", core.store_kind)
    assert.equal("events", other.store_kind)
    assert.equal("message", probe.field_find("events.k8s.io/v1", "Event", "note").stored_as)
    assert.is_nil(probe.field_find("v1", "Event", "message").stored_as)
    local files_kind = probe.kind_find("porch.kpt.dev", "v1alpha1", "packagerevisionresources")
    assert.equal("packagerevisionresources", files_kind.store_kind)
    assert.is_false(files_kind.watch)
  end)

  it("give fields with defaults, checks and what is always written", function()
    local function repository(path)
      return probe.field_find("config.porch.kpt.dev/v1alpha1", "Repository", path)
    end
    assert.equal('"main"', repository("spec.git.branch").default_json)
    assert.equal(1, repository("spec.git.branch").min_length)
    assert.equal("spec.git.repo is immutable", repository("spec.git.repo").immutable)
    assert.is_true(repository("spec.git.repo").required)
    assert.same({ "", "Package" }, repository("spec.content").values)
    assert.matches("deprecated", repository("spec.content").values_message)
    assert.is_nil(repository("spec.git.secretRef.name").always_json)
    assert.is_nil(repository("spec.git.nothing"))
    assert.is_nil(repository("spec.git.repo.deeper"))
    local function revision(path)
      return probe.field_find(PORCH, "PackageRevision", path)
    end
    assert.equal('{"upstreamLock":{},"selfLock":{},"publishTimestamp":null}',
      revision("status").always_json)
    assert.is_true(revision("status.publishTimestamp").nullable)
    assert.equal('{"name":""}', revision("spec.tasks.clone.upstreamRef.git.secretRef").always_json)
    assert.equal("{}", revision("spec.tasks.clone.upstreamRef").always_json)
    assert.equal(
      '{"renderStatus":{"result":{"metadata":{},"exitCode":0},"error":""}}',
      probe.field_find(PORCH, "PackageRevisionResources", "status").always_json)
    local owners = revision("metadata.ownerReferences")
    assert.same({ "uid" }, owners.keys)
    assert.is_true(owners.merge)
  end)
end)
