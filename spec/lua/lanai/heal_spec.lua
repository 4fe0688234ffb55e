-- SPDX-License-Identifier: Apache-2.0

local cjson = require("cjson")
local setup = require("spec.workflow.setup")

local HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c # name\n"

-- The text that a save of `after` over `before` leaves.
local function save(before, after)
  local env = setup.open()
  env:revision("repo.p.v1", { packageName = "p", workspaceName = "v1", lifecycle = "Draft" },
    { Kptfile = setup.KPTFILE, ["c.yaml"] = before })
  local r = env:run("PackageRevisionResources/update", cjson.encode({
    object = { metadata = { name = "repo.p.v1" } },
    resources = { Kptfile = setup.KPTFILE, ["c.yaml"] = after },
  }))
  assert.is_true(r.ok, r.message)
  return r.effects[1].files["c.yaml"]
end

describe("a save without comments", function()
  after_each(setup.clean)

  it("leaves the old text when it says the same", function()
    local before = "# licence\n\n" .. HEAD .. "data: # about data\n    b: '2'\n    a: \"1\"\n"
    assert.equal(before, save(before,
      "apiVersion: v1\ndata:\n  a: '1'\n  b: '2'\nkind: ConfigMap\nmetadata:\n  name: c\n"))
  end)

  it("changes the lines of what is different", function()
    assert.equal(HEAD .. "data: # about data\n  a: \"3\" # first\n  c: new\n",
      save(HEAD .. "data: # about data\n  a: one # first\n  b: two # second\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: '3'\n  c: new\n"))
  end)

  it("moves a comment with the list element that has its name", function()
    assert.equal(HEAD .. "items:\n- name: z\n- name: a # of a\n",
      save(HEAD .. "items:\n- name: a # of a\n- name: b # of b\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\nitems:\n- name: z\n- name: a\n"))
  end)

  it("keeps a stream of several documents only as a whole", function()
    local before = HEAD .. "---\n" .. HEAD .. "data:\n  a: x # c\n"
    local bare = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    assert.equal(before, save(before, bare .. "---\n" .. bare .. "data: {a: x}\n"))
    local after = bare .. "---\n" .. bare .. "data: {a: z}\n"
    assert.equal(after, save(before, after))
  end)

  it("is taken as it is for another resource, templates, and what never had comments", function()
    local other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n"
    assert.equal(other, save(HEAD, other))
    local same = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    assert.equal(same, save("#@ load\n" .. HEAD, same))
    assert.equal(same, save("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n", same))
  end)
end)

describe("a save with a comment", function()
  after_each(setup.clean)

  it("is taken as it is", function()
    local after = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c} # mine\n"
    assert.equal(after, save("# licence\n" .. HEAD, after))
  end)
end)
