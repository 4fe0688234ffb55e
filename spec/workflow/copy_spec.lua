-- SPDX-License-Identifier: Apache-2.0

local setup = require("spec.workflow.setup")

local VERB = "PackageRevision/copy"
local INTERNAL = "Internal error occurred: "

local function edit(name)
  return { type = "edit", edit = { sourceRef = { name = name } } }
end

describe("copy", function()
  after_each(setup.clean)

  local env

  before_each(function()
    env = setup.open()
    env:revision("repo.p.v1", { packageName = "p", workspaceName = "v1", lifecycle = "Published",
      revision = 1 }, { Kptfile = setup.KPTFILE, ["a/b.txt"] = "bytes\0" })
    env:revision("repo.p.v2", { packageName = "p", workspaceName = "v2", lifecycle = "Draft" })
    env:revision("repo.p.main", { packageName = "p", workspaceName = "main", revision = -1,
      lifecycle = "Published" })
    env:revision("repo.q.v1", { packageName = "q", workspaceName = "v1", lifecycle = "Published" })
  end)

  it("takes the files unchanged and keeps the task", function()
    local r = env:run(VERB, setup.creation("p", "v3", edit("repo.p.v1")))
    assert.is_true(r.ok, r.message)
    assert.equal("save", setup.types(r))
    assert.same({ Kptfile = setup.KPTFILE, ["a/b.txt"] = "bytes\0" }, r.effects[1].files)
    assert.same(edit("repo.p.v1"), r.effects[1].task)
  end)

  it("edits the Kptfile where the request says so and nowhere else", function()
    local r = env:run(VERB, setup.creation("p", "v3", edit("repo.p.v1"),
      { packageMetadata = { labels = { tier = "gold" } } }))
    assert.is_true(r.ok, r.message)
    assert.equal((setup.KPTFILE:gsub("# the name\n", "# the name\n  labels:\n    tier: gold\n")),
      r.effects[1].files.Kptfile)
  end)

  it("refuses sources that will not do", function()
    local cases = {
      { "repo.p.v9", 'failed to fetch package "repo.p.v9": cannot find package revision'
        .. ' "repo.p.v9"' },
      { "nowhere.p.v1",
        'failed to fetch package "nowhere.p.v1": cannot find repository ns:nowhere:::'
        .. ' Repository.config.porch.kpt.dev "nowhere" not found' },
      { "p", 'failed to fetch package "p": package revision kubernetes resource name invalid:' },
      { "", 'failed to fetch package "": package revision kubernetes resource name invalid:' },
      { "repo.q.v1", "source revision must be from same package repo/p" },
      { "repo.p.main", "source revision may not be the placeholder package revision"
        .. " repo/repo.p.main" },
      { "repo.p.v2", "source revision must be published" },
    }
    for _, case in ipairs(cases) do
      local r = env:run(VERB, setup.creation("p", "v3", edit(case[1])))
      assert.equal("internal", r.kind)
      local said = INTERNAL .. case[2]
      assert.equal(said, r.message:sub(1, case[2]:sub(-1) == ":" and #said or -1))
      assert.same({}, r.effects)
    end
  end)

  it("says when the source's content cannot be read", function()
    env:put("packagerevisions", "repo.p.v4", { metadata = { name = "repo.p.v4" },
      spec = { packageName = "p", repository = "repo", workspaceName = "v4", revision = 4,
        lifecycle = "Published" } }, "repo", "p")
    local r = env:run(VERB, setup.creation("p", "v3", edit("repo.p.v4")))
    assert.matches('cannot read contents of package "repo.p.v4": ', r.message, 1, true)
  end)

  it("refuses a missing source as invalid", function()
    local r = env:run(VERB, setup.creation("p", "v3", { type = "edit", edit = { x = 1 } }))
    assert.equal("invalid", r.kind)
    assert.equal('PackageRevision.porch.kpt.dev "" is invalid: spec.tasks[0].edit.sourceRef:'
      .. " Required value", r.message)
  end)

  it("refuses a taken workspace before it looks at the source", function()
    local r = env:run(VERB, setup.creation("p", "v2", edit("repo.p.v9")))
    assert.matches("workspaceNames must be unique", r.message)
  end)

  it("refuses a source without Kptfile", function()
    env:revision("repo.p.v5", { packageName = "p", workspaceName = "v5", lifecycle = "Published" },
      { ["x.txt"] = "x" })
    local r = env:run(VERB, setup.creation("p", "v3", edit("repo.p.v5")))
    assert.equal(INTERNAL .. 'failed to parse Kptfile: file "Kptfile" is missing from the package',
      r.message)
  end)
end)
