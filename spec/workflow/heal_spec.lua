-- SPDX-License-Identifier: Apache-2.0
-- What a save of files loses comes back (core/krm/heal.h, workflows/push.lua).

local cjson = require("cjson")
local setup = require("spec.workflow.setup")

local HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c # name\n"
local BARE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"

local function request(files)
  return cjson.encode({ object = { metadata = { name = "repo.p.v1" } }, resources = files })
end

local function with_kptfile(files)
  local all = { Kptfile = setup.KPTFILE }
  for path, text in pairs(files) do
    all[path] = text
  end
  return all
end

-- The result of a save of `after` over `before`, both maps of files.
local function run(before, after, compat)
  local env = setup.open()
  env:revision("repo.p.v1", { packageName = "p", workspaceName = "v1", lifecycle = "Draft" },
    with_kptfile(before))
  if compat then
    env:put("repositories", "repo", { metadata = { name = "repo",
      annotations = { ["lanai.dev/compat"] = compat } } })
  end
  return env:run("PackageRevisionResources/update", request(with_kptfile(after)))
end

local function save_files(before, after, compat)
  local r = run(before, after, compat)
  assert.is_true(r.ok, r.message)
  local files = r.effects[1].files
  files.Kptfile = nil
  return files
end

-- The text that a save of `after` over `before` leaves, in one file; saving once more what came out
-- or what was sent changes nothing.
local function save(before, after)
  local text = save_files({ ["c.yaml"] = before }, { ["c.yaml"] = after })["c.yaml"]
  for _, again in ipairs({ text, after }) do
    assert.same({ ["c.yaml"] = text }, save_files({ ["c.yaml"] = text }, { ["c.yaml"] = again }))
  end
  return text
end

describe("a save without comments", function()
  after_each(setup.clean)

  it("leaves the old text when it says the same", function()
    local before = "# licence\n\n" .. HEAD .. "data: # about data\n    b: '2'\n    a: \"1\"\n"
      .. "\nmore:   {x: ~, 'y': True}\n"
    assert.equal(before, save(before, "apiVersion: v1\ndata:\n  a: '1'\n  b: '2'\nkind: ConfigMap\n"
      .. "metadata:\n  name: c\nmore:\n  y: true\n  x: null\n"))
  end)

  it("changes the lines of what is different", function()
    assert.equal(HEAD .. "data: # about data\n  a: '3' # first\n  c: new\n",
      save(HEAD .. "data: # about data\n  a: one # first\n  b: two # second\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: '3'\n  c: new\n"))
  end)

  it("moves a comment with the list element that has its name", function()
    assert.equal(HEAD .. "items:\n- name: z\n- name: a # of a\n",
      save(HEAD .. "items:\n- name: a # of a\n- name: b # of b\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\nitems:\n- name: z\n- name: a\n"))
  end)

  it("keeps every document of a stream", function()
    local second = BARE:gsub("name: c", "name: d")
    local before = "# licence\n\n---\n" .. HEAD .. "--- # two\n" .. HEAD:gsub(": c", ": d")
      .. "data:\n  a: x # c\n---\n# the end\n"
    assert.equal(before, save(before, BARE .. "---\n" .. second .. "data: {a: x}\n"))
    assert.equal((before:gsub("a: x", "a: z")),
      save(before, BARE .. "---\n" .. second .. "data: {a: z}\n"))
    assert.equal("# licence\n\n---\n" .. HEAD .. "--- # two\n# the end\n", save(before, BARE))
  end)

  it("is taken as it is for another resource, templates, and without old comments", function()
    local other = BARE:gsub("name: c", "name: d")
    assert.equal(other, save(HEAD, other))
    assert.equal(BARE, save("#@ load\n" .. HEAD, BARE))
    assert.equal(BARE, save("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n", BARE))
  end)

  it("keeps line ends", function()
    local before = (HEAD .. "data: {}\n"):gsub("\n", "\r\n")
    assert.equal((before:gsub("{}", "{a: b}")), save(before, BARE .. "data: {a: b}\n"))
  end)

  it("gives comments to values that are no resources, by their place", function()
    assert.equal("replicas: 3 # how many\n", save("replicas: 2 # how many\n", "replicas: 3\n"))
    assert.equal("- a # of a\n- c\n", save("- a # of a\n- b\n", "- a\n- c\n"))
  end)
end)

describe("a save with a comment", function()
  after_each(setup.clean)

  it("keeps its own text, with what was lost put in", function()
    assert.equal("# licence\n" .. HEAD:gsub("# name", "# mine") .. "data: {a:   '1'}\n",
      save("# licence\n" .. HEAD .. "data:\n  a: \"1\"\n",
        HEAD:gsub("# name", "# mine") .. "data: {a:   '1'}\n"))
  end)

  it("may move a comment without doubling it", function()
    local after = "apiVersion: v1\nkind: ConfigMap # name\nmetadata:\n  name: c\n"
    assert.equal(after, save(HEAD, after))
  end)
end)

describe("a save of several files", function()
  after_each(setup.clean)

  it("lets comments go with a resource into another file, and to no other resource", function()
    local moved = save_files({ ["a.yaml"] = HEAD, ["b.yaml"] = "x: 1 # one\n" },
      { ["b.yaml"] = "x: 1\n", ["z/c.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
        .. "  name: c\n", ["d.yaml"] = "x: 1\n" })
    assert.same({ ["b.yaml"] = "x: 1 # one\n", ["z/c.yaml"] = HEAD, ["d.yaml"] = "x: 1\n" }, moved)
  end)

  it("gives each resource's comments once", function()
    local plain = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n"
    assert.same({ ["a.yaml"] = plain, ["b.yaml"] = HEAD },
      save_files({ ["b.yaml"] = HEAD }, { ["a.yaml"] = plain, ["b.yaml"] = HEAD }))
    assert.same({ ["a.yaml"] = plain, ["b.yaml"] = HEAD },
      save_files({ ["b.yaml"] = HEAD }, { ["a.yaml"] = plain, ["b.yaml"] = plain }))
  end)

  it("keeps files without documents, lists, and files that are no YAML", function()
    local files = { ["c.yaml"] = "# only this\n", ["e.yaml"] = "", ["l.yaml"] = "- a\n-   b # c\n",
      ["n.txt"] = "a: [" }
    assert.same(files, save_files({}, files))
    assert.same(files, save_files(files, files))
  end)

  it("names the file that is broken or holds no map", function()
    local text = "Internal error occurred: failed to heal resources: "
    assert.equal(text .. "b.yaml: MalformedYAMLError: yaml: line 1: did not find expected "
      .. "node content (document 1, line 2, column 8)",
      run({}, { ["b.yaml"] = "a: 1\nb: {x: ]" }).message)
    assert.equal(text .. "b.yaml: wrong node kind: expected MappingNode but got ScalarNode: "
      .. "node contents:\nhello\n", run({}, { ["b.yaml"] = "hello\n" }).message)
  end)

  it("ignores what a broken file had before", function()
    assert.same({ ["b.yaml"] = "a: 1\n" }, save_files({ ["b.yaml"] = "a: [ # x\n" },
      { ["b.yaml"] = "a: 1\n" }))
  end)
end)

describe("a save of many documents", function()
  after_each(setup.clean)

  it("takes time by their number, not by its square", function()
    local before, after = {}, {}
    for i = 1, 8000 do
      before[i] = HEAD:gsub(": c", ": c" .. i)
      after[i] = BARE:gsub(": c", ": c" .. i)
    end
    local text = table.concat(before, "---\n") -- far from the time limit of a run
    assert.equal(text, save_files({ ["c.yaml"] = text },
      { ["c.yaml"] = table.concat(after, "---\n") })["c.yaml"])
  end)
end)

describe("a save as Porch does it", function()
  after_each(setup.clean)

  it("writes every YAML file anew and compact", function()
    assert.same({ ["a.yaml"] = "a:\n- 1 # one\n", ["x.json"] = "{ }" },
      save_files({ ["a.yaml"] = "a:\n  - 1 # one\n" }, { ["a.yaml"] = "a:\n    -   1\n",
        ["x.json"] = "{ }", ["gone.yaml"] = "# only this\n" }, "kpt"))
  end)

  it("takes comments from every resource of the name", function()
    local plain = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n"
    assert.same({ ["a.yaml"] = HEAD, ["b.yaml"] = HEAD }, save_files({ ["b.yaml"] = HEAD },
      { ["a.yaml"] = plain, ["b.yaml"] = plain }, "kpt"))
  end)

  it("fails in Porch's words", function()
    local text = "Internal error occurred: failed to heal resources: "
    assert.equal(text .. "failed to copy comments: wrong node kind: expected SequenceNode but got "
      .. "ScalarNode: node contents:\n5\n",
      run({ ["a.yaml"] = "x: [a]\n" }, { ["a.yaml"] = "x: 5\n" }, "kpt").message)
    assert.equal(text .. "wrong node kind: expected MappingNode but got SequenceNode: "
      .. "node contents:\n- a\n- b\n", run({}, { ["a.yaml"] = "- a\n- b\n" }, "kpt").message)
    assert.equal(text .. "MalformedYAMLError: yaml: line 1: did not find expected node content",
      run({}, { ["a.yaml"] = "a: 1\nb: {x: ]" }, "kpt").message)
  end)
end)
