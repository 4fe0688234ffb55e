-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.core.host.support")

local KPTFILE = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p # keep\n"
local FILES = { Kptfile = KPTFILE, ["a/x.yaml"] = "x: 1\n", ["b.txt"] = "\0\255bytes" }

local function run(body, files)
  return support.run("local d, err = ctx.draft('repo.p.v1')\n" .. body, "{}", function(env)
    env:revision("repo.p.v1", { packageName = "p" }, files or FILES)
  end)
end

-- Files of the draft after a body.
local function saved(body)
  local r = run(body .. "\nctx.save({ metadata = { name = 'n' } }, d)")
  assert.is_true(r.ok, r.message)
  return r.effects[1].files
end

describe("a package tree", function()
  after_each(support.clean)

  it("is read by path", function()
    local r = run([[return { x = d:file("a/x.yaml"), n = #d:file("b.txt"),
      none = d:file("nothing") == nil, dir = d:file("a") == nil, files = d:files(),
      name = d:kptfile().metadata.name, changed = d:changed() }]])
    assert.is_true(r.ok, r.message)
    assert.same({ x = "x: 1\n", n = 7, none = true, dir = true, name = "p", changed = false,
      files = { "Kptfile", "a/x.yaml", "b.txt" } }, r.result)
  end)

  it("keeps bytes that nobody touched", function()
    assert.same(FILES, saved(""))
  end)

  it("takes files in any order, replaces and deletes them", function()
    assert.same({ Kptfile = "k", ["a/y.yaml"] = "y", ["z/z/z"] = "", ["A"] = "1" }, saved([[
      assert(d:set("z/z/z", ""))
      assert(d:set("Kptfile", "k"))
      assert(d:set("a/y.yaml", "y"))
      assert(d:set("A", "1"))
      assert(d:set("a/x.yaml", nil))
      assert(d:set("b.txt", nil))
      assert(d:set("nothing", nil))
      assert(d:changed())]]))
  end)

  it("holds many files", function()
    local files = saved([[
      for i = 3000, 1, -1 do assert(d:set(("f/%04d"):format(i), tostring(i))) end]])
    assert.equal("17", files["f/0017"])
    assert.equal("3000", files["f/3000"])
  end)

  it("refuses paths that do not stay inside or clash", function()
    for _, path in ipairs({ "", "/x", "../x", "a/../x", "a//b", "./a", "a/", ".git/x", "Kptfile/x",
      "a" }) do
      local r = run(("local ok, e = d:set(%q, 'x') return { ok = ok == true, kind = e and e.kind }")
        :format(path))
      assert.is_true(r.ok, r.message)
      assert.is_false(r.result.ok, path)
      assert.equal("invalid", r.result.kind)
    end
  end)

  it("is replaced whole or not at all", function()
    assert.same({ Kptfile = "k", c = "c" }, saved("assert(d:replace({ c = 'c', Kptfile = 'k' }))"))
    assert.same(FILES, saved("local ok = d:replace({ c = 'c', ['../x'] = 'k' }) assert(not ok)"))
    assert.same(FILES, saved("local ok = d:replace({ c = 'c', ['c/x'] = 'k' }) assert(not ok)"))
    assert.same(FILES, saved("local ok = d:replace({ c = 5 }) assert(not ok)"))
    assert.same(FILES, saved([[
      local ok = d:replace({ ["a"] = "1", ["a-b"] = "2", ["a/b"] = "3" }) assert(not ok)]]))
  end)

  it("edits YAML in place", function()
    assert.equal(KPTFILE .. "  labels:\n    x: gold\n",
      saved([[assert(d:edit("Kptfile", { "metadata", "labels" }, { x = "gold" }))]]).Kptfile)
    assert.equal("apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: q # keep\n",
      saved([[assert(d:edit("Kptfile", { "metadata", "name" }, "q"))]]).Kptfile)
    assert.equal("apiVersion: kpt.dev/v1\nmetadata:\n  name: p # keep\n",
      saved([[assert(d:edit("Kptfile", { "kind" }, nil))]]).Kptfile)
    local r = run([[local ok, e = d:edit("nothing", { "a" }, 1) return { kind = e.kind }]])
    assert.equal("not-found", r.result.kind)
    r = run([[local ok, e = d:edit("a/x.yaml", {}, 1)]])
    assert.equal("internal", r.kind)
  end)

  it("gives a missing or broken Kptfile as an error", function()
    local r = run("local k, e = d:kptfile() return { kind = e.kind }", { x = "y" })
    assert.equal("not-found", r.result.kind)
    r = run("local k, e = d:kptfile() return { kind = e.kind }", { Kptfile = "- a\n" })
    assert.equal("invalid", r.result.kind)
    r = run("local k, e = d:kptfile() return { kind = e.kind }", { Kptfile = "a: [" })
    assert.equal("bad-request", r.result.kind)
  end)

  it("that is a package is read-only", function()
    local r = run([[local p = ctx.package("repo.p.v1")
      assert(p:file("b.txt"))
      p:set("x", "y")]])
    assert.matches("package is read%-only", r.message)
    r = run([[ctx.save({ metadata = { name = "n" } }, ctx.package("repo.p.v1"))]])
    assert.matches("a draft is expected", r.message)
  end)

  it("that does not exist is an error", function()
    local r = support.run([[
      local d, e = ctx.draft("no")
      return { nothing = d == nil, kind = e.kind }]])
    assert.same({ nothing = true, kind = "not-found" }, r.result)
  end)

  it("begins empty without a name", function()
    local r = support.run([[local d = ctx.draft() return { n = #d:files() }]])
    assert.equal(0, r.result.n)
  end)

  it("refuses foreign handles", function()
    local r = support.run([[local d = ctx.draft() d.file(req, "x")]], '{"a":1}')
    assert.equal("internal", r.kind)
    assert.is_false(support.run([[local d = ctx.draft() d.file = 1]]).ok)
  end)
end)
