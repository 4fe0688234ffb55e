-- SPDX-License-Identifier: Apache-2.0
--
-- update, propose, reject, approve, propose-delete, delete.

local setup = require("spec.workflow.setup")

local NAME = "repo.p.v1"

-- An environment with one revision in a lifecycle.
local function with(lifecycle, files)
  local env = setup.open()
  env:revision(NAME, { packageName = "p", workspaceName = "v1", lifecycle = lifecycle }, files)
  return env
end

-- A request that changes spec and status members of the revision.
local function change(from, to, more)
  local function object(lifecycle)
    return { kind = "PackageRevision", apiVersion = "porch.kpt.dev/v1alpha1",
      metadata = { name = NAME, namespace = "ns", labels = { x = "y" } },
      spec = { packageName = "p", workspaceName = "v1", repository = "repo",
        lifecycle = lifecycle }, status = {} }
  end
  local req = { object = object(to), old = object(from) }
  for key, value in pairs(more or {}) do
    req.object.spec[key] = value
  end
  return req
end

describe("update", function()
  after_each(setup.clean)

  local VERB = "PackageRevision/update"

  it("writes metadata only, without content, when the Kptfile already says it", function()
    for _, lifecycle in ipairs({ "Draft", "Proposed", "Published", "DeletionProposed" }) do
      local r = with(lifecycle):run(VERB, change(lifecycle, lifecycle))
      assert.is_true(r.ok, r.message)
      assert.equal("apply", setup.types(r))
      assert.same({ x = "y" }, r.effects[1].object.metadata.labels)
    end
  end)

  it("edits a draft's Kptfile and keeps every other byte", function()
    local r = with("Draft"):run(VERB, change("Draft", "Draft",
      { packageMetadata = { labels = { tier = "gold" } },
        readinessGates = { { conditionType = "tested" } } }))
    assert.is_true(r.ok, r.message)
    assert.equal("save apply", setup.types(r))
    local text = r.effects[1].files.Kptfile
    assert.matches("  name: p # the name\n  labels:\n    tier: gold\n", text, 1, true)
    assert.matches("readinessGates:\n *%- conditionType: tested\n", text)
  end)

  it("replaces maps whole and removes them when they are empty", function()
    local kptfile = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n  labels:\n"
      .. "    a: b\n    c: d\ninfo: {}\n"
    local env = with("Draft", { Kptfile = kptfile })
    local req = change("Draft", "Draft", { packageMetadata = { labels = { a = "z" } } })
    local r = env:run(VERB, req)
    assert.matches("labels:\n    a: z\ninfo", r.effects[1].files.Kptfile, 1, true)
    local text = '{"object":{"metadata":{"name":"repo.p.v1"},"spec":{"packageName":"p",'
      .. '"lifecycle":"Draft","packageMetadata":{"labels":{}}}},'
      .. '"old":{"spec":{"lifecycle":"Draft"}}}'
    r = env:run(VERB, text)
    assert.is_true(r.ok, r.message)
    assert.is_nil(r.effects[1].files.Kptfile:find("labels"))
  end)

  it("replaces conditions and keeps the order of those that stay", function()
    local kptfile = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\nstatus:\n"
      .. "  conditions:\n  - type: one\n    status: \"True\"\n  - type: two\n    status: \"True\"\n"
      .. "  - type: three\n    status: \"True\"\n"
    local req = change("Draft", "Draft")
    req.object.status.conditions = { { type = "new", status = "False" },
      { type = "three", status = "False" }, { type = "one", status = "True" } }
    local r = with("Draft", { Kptfile = kptfile }):run(VERB, req)
    assert.is_true(r.ok, r.message)
    local order = {}
    for name in r.effects[1].files.Kptfile:gmatch("type: (%w+)") do
      order[#order + 1] = name
    end
    assert.same({ "one", "three", "new" }, order)
  end)

  it("refuses an unknown condition status", function()
    local req = change("Draft", "Draft")
    req.object.status.conditions = { { type = "a", status = "Maybe" } }
    local r = with("Draft"):run(VERB, req)
    assert.equal("invalid", r.kind)
    assert.equal("status.conditions[0].status", r.causes[1].field)
    assert.same({}, r.effects)
  end)

  it("leaves the content of what is no draft alone", function()
    local r = with("Proposed"):run(VERB, change("Proposed", "Proposed",
      { packageMetadata = { labels = { tier = "gold" } } }))
    assert.equal("apply", setup.types(r))
  end)

  it("fails when the Kptfile cannot be read", function()
    local r = with("Draft", { Kptfile = "a: [" }):run(VERB, change("Draft", "Draft",
      { packageMetadata = { labels = { a = "b" } } }))
    assert.equal("internal", r.kind)
    r = with("Draft", { x = "y" }):run(VERB, change("Draft", "Draft"))
    assert.matches('file "Kptfile" is missing from the package', r.message)
  end)
end)

describe("lifecycle steps", function()
  after_each(setup.clean)

  it("propose: content changes, metadata, then the step", function()
    local env = with("Draft")
    local r = env:run("PackageRevision/propose", change("Draft", "Proposed"))
    assert.is_true(r.ok, r.message)
    assert.equal("apply transition", setup.types(r))
    assert.equal("Proposed", r.effects[2].text)
    r = env:run("PackageRevision/propose", change("Draft", "Proposed",
      { packageMetadata = { labels = { tier = "gold" } } }))
    assert.equal("save apply transition", setup.types(r))
  end)

  it("propose and approve ask for readiness when configured", function()
    local options = { config = '{"require_readiness":true}' }
    local gates = { readinessGates = { { conditionType = "tested" } } }
    local r = with("Draft"):run("PackageRevision/propose", change("Draft", "Proposed", gates),
      options)
    assert.equal("invalid", r.kind)
    assert.matches('readiness condition "tested" is not met', r.message, 1, true)

    local req = change("Proposed", "Published")
    req.old.spec.readinessGates = gates.readinessGates
    local env = with("Proposed")
    assert.equal("invalid", env:run("PackageRevision/approve", req, options).kind)
    assert.is_true(env:run("PackageRevision/approve", req).ok)
    req.old.status.conditions = { { type = "tested", status = "True" } }
    assert.is_true(env:run("PackageRevision/approve", req, options).ok)
  end)

  it("approve: metadata, then publication", function()
    local r = with("Proposed"):run("PackageRevision/approve", change("Proposed", "Published"))
    assert.is_true(r.ok, r.message)
    assert.equal("apply publish", setup.types(r))
    assert.equal(NAME, r.effects[2].object.metadata.name)
  end)

  it("reject: back to where it came from", function()
    local r = with("Proposed"):run("PackageRevision/reject", change("Proposed", "Draft"))
    assert.equal("apply transition", setup.types(r))
    assert.equal("Draft", r.effects[2].text)
    r = with("DeletionProposed"):run("PackageRevision/reject",
      change("DeletionProposed", "Published"))
    assert.equal("Published", r.effects[2].text)
    r = with("Draft"):run("PackageRevision/reject", change("Draft", "Draft"))
    assert.equal("internal", r.kind)
  end)

  it("propose-delete: the step", function()
    local r = with("Published"):run("PackageRevision/propose-delete",
      change("Published", "DeletionProposed"))
    assert.equal("apply transition", setup.types(r))
    assert.equal("DeletionProposed", r.effects[2].text)
  end)
end)

describe("delete", function()
  after_each(setup.clean)

  local VERB = "PackageRevision/delete"

  it("removes drafts, proposals and what is proposed for deletion", function()
    for _, lifecycle in ipairs({ "Draft", "Proposed", "DeletionProposed" }) do
      local r = with(lifecycle):run(VERB, { old = change(lifecycle, lifecycle).old })
      assert.is_true(r.ok, r.message)
      assert.equal("remove", setup.types(r))
      assert.equal(NAME, r.effects[1].object.metadata.name)
    end
  end)

  it("refuses what is published", function()
    local r = with("Published"):run(VERB, { old = change("Published", "Published").old })
    assert.equal("forbidden", r.kind)
    assert.equal('packagerevisions.porch.kpt.dev "repo.p.v1" is forbidden: published'
      .. " PackageRevisions must be proposed for deletion by setting spec.lifecycle to"
      .. " 'DeletionProposed' prior to deletion", r.message)
  end)

  it("refuses what others were cloned from or upgraded to, by exact name", function()
    local env = with("DeletionProposed")
    local req = { old = change("DeletionProposed", "DeletionProposed").old }
    env:revision("repo.q.v1", { packageName = "q", workspaceName = "v1", lifecycle = "Draft",
      tasks = { { type = "edit", edit = { sourceRef = { name = NAME } } } } })
    env:revision("repo.r.main", { packageName = "r", workspaceName = "main", revision = -1,
      lifecycle = "Published",
      tasks = { { type = "clone", clone = { upstreamRef = { upstreamRef = { name = NAME } } } } } })
    env:revision("repo.s.v1", { packageName = "s", workspaceName = "v1", lifecycle = "Draft",
      tasks = { { type = "clone",
        clone = { upstreamRef = { upstreamRef = { name = "repoxp.v1" } } } } } })
    assert.is_true(env:run(VERB, req).ok)

    env:revision("repo.t.v1", { packageName = "t", workspaceName = "v1", lifecycle = "Published",
      tasks = { { type = "upgrade", upgrade = { newUpstreamRef = { name = NAME } } } } })
    local r = env:run(VERB, req)
    assert.equal("forbidden", r.kind)
    assert.equal('packagerevisions.porch.kpt.dev "repo.p.v1" is forbidden: cannot delete package'
      .. " revision, it is referenced as upstream by: repo.t.v1", r.message)
  end)
end)
