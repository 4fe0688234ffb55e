local support = require "spec.core.store.support"
local add, names = support.add, support.names

describe("store lists", function()
  after_each(support.clean)

  local s
  before_each(function()
    s = support.open()
    for _, key in ipairs { { "b", "x" }, { "a", "z" }, { "a", "B" }, { "a", "a" }, { "b", "a" },
      { "a-1", "a" } } do
      add(s, key[2], { ns = key[1], f1 = "repo-" .. key[1], f2 = key[2] })
    end
    add(s, "cluster", { ns = "" })
    add(s, "else", { kind = "others" })
  end)

  it("are ordered by namespace and name, bytewise", function()
    local rows, rv = s:list { kind = "things" }
    assert.equal("/cluster a/B a/a a/z a-1/a b/a b/x", names(rows, true))
    assert.equal(s:rv(), rv)
    assert.equal(7, s:count { kind = "things" })
  end)

  it("are limited to a namespace, a name, and both", function()
    assert.equal("B a z", names(s:list { kind = "things", ns = "a" }))
    assert.equal("/cluster", names(s:list { kind = "things", ns = "" }, true))
    assert.equal("a/a a-1/a b/a", names(s:list { kind = "things", name = "a" }, true))
    assert.equal("b/x", names(s:list { kind = "things", ns = "b", name = "x" }, true))
    assert.same({}, s:list { kind = "things", ns = "none" })
    assert.same({}, s:list { kind = "thing" })
    assert.equal(3, s:count { kind = "things", name = "a" })
  end)

  it("are limited by the indexed fields", function()
    assert.equal("a/B a/a a/z", names(s:list { kind = "things", f1 = "repo-a" }, true))
    assert.equal("a/a a-1/a b/a", names(s:list { kind = "things", f2 = "a" }, true))
    assert.equal("b/a", names(s:list { kind = "things", f1 = "repo-b", f2 = "a" }, true))
    assert.equal("a/z", names(s:list { kind = "things", ns = "a", f1 = "repo-a", f2 = "z" }, true))
    assert.equal("", names(s:list { kind = "things", ns = "b", f1 = "repo-a" }, true))
    assert.equal("/cluster", names(s:list { kind = "things", f1 = "" }, true))
    assert.equal("/cluster", names(s:list { kind = "things", f1 = "", f2 = "" }, true))
    assert.equal(2, s:count { kind = "things", f1 = "repo-b" })
  end)

  it("give everything, however many rows were foreseen", function()
    for rows = 1, 8 do
      assert.equal("/cluster a/B a/a a/z a-1/a b/a b/x",
        names(s:list { kind = "things", rows = rows }, true))
    end
  end)

  it("are limited by the last segment of the second field", function()
    add(s, "deep", { ns = "a", f1 = "repo-a", f2 = "x/y/z" })
    add(s, "same", { ns = "a", f1 = "repo-a", f2 = "z/z" })
    add(s, "longer", { ns = "a", f1 = "repo-a", f2 = "x/yz" })
    add(s, "above", { ns = "a", f1 = "repo-a", f2 = "z/x" })
    add(s, "utf8", { ns = "b", f1 = "repo-b", f2 = "ä/ö/z" })
    local function list(more)
      more.kind = "things"
      return names(s:list(more), true)
    end
    assert.equal("a/deep a/same a/z", list { f1 = "repo-a", f2_leaf = "z" })
    assert.equal("a/deep a/same a/z", list { f1 = "repo-a", f2_leaf = "z", ns = "a" })
    assert.equal("a/z", list { f1 = "repo-a", f2_leaf = "z", ns = "a", after_ns = "a",
      after_name = "same" })
    assert.equal("a/deep a/same a/z b/utf8", list { f2_leaf = "z" })
    assert.equal("", list { f1 = "repo-a", f2_leaf = "y/z" })
    assert.equal("a/deep", list { f1 = "repo-a", f2 = "x/y/z" })
    assert.equal("a/z", list { f1 = "repo-a", f2 = "z" })
    assert.equal("", list { f1 = "repo-a", f2 = "z", f2_leaf = "y" })
    assert.equal(3, s:count { kind = "things", f1 = "repo-a", f2_leaf = "z" })
    add(s, "deep", { ns = "a", f1 = "repo-a", f2 = "x/y" })
    assert.equal("a/same a/z", list { f1 = "repo-a", f2_leaf = "z" })
  end)

  it("are limited by the object that others refer to", function()
    add(s, "user", { ns = "a", f1 = "repo-a", f2 = "user", ref = "z" })
    add(s, "other", { ns = "b", ref = "z" })
    add(s, "near", { ns = "a", ref = "zz" })
    local function list(more)
      more.kind = "things"
      return names(s:list(more), true)
    end
    assert.equal("a/user b/other", list { ref = "z" })
    assert.equal("a/user", list { ref = "z", ns = "a" })
    assert.equal("a/user", list { ref = "z", f1 = "repo-a", f2 = "user" })
    assert.equal("", list { ref = "z", f1 = "repo-b" })
    assert.equal("b/other", list { ref = "z", after_ns = "a", after_name = "user" })
    assert.equal(2, s:count { kind = "things", ref = "z" })
    add(s, "user", { ns = "a", f1 = "repo-a", f2 = "user", ref = "a" })
    add(s, "other", { ns = "b" })
    assert.equal("", list { ref = "z" })
    assert.equal("a/user", list { ref = "a" })
  end)

  it("follow a field that changes", function()
    add(s, "z", { ns = "a", f1 = "repo-b", f2 = "z" })
    assert.equal("a/B a/a", names(s:list { kind = "things", f1 = "repo-a" }, true))
    assert.equal("a/z b/a b/x", names(s:list { kind = "things", f1 = "repo-b" }, true))
    add(s, "z", { ns = "a", f2 = "q" })
    assert.equal("b/a b/x", names(s:list { kind = "things", f1 = "repo-b" }, true))
    assert(s:commit { support.del("x", { ns = "b" }) })
    assert.equal("b/a", names(s:list { kind = "things", f1 = "repo-b" }, true))
  end)

  it("continue behind a key, whether it still exists or not", function()
    local function from(ns, name, more)
      local q = { kind = "things", after_ns = ns, after_name = name }
      for k, v in pairs(more or {}) do
        q[k] = v
      end
      return names(s:list(q), true), s:count(q)
    end
    local rows, n = from("a", "a")
    assert.equal("a/z a-1/a b/a b/x", rows)
    assert.equal(4, n)
    assert.equal("a-1/a b/a b/x", (from("a", "zz")))
    assert.equal("", (from("b", "x")))
    assert.equal("a/z", (from("a", "a", { ns = "a" })))
    assert.equal("a/z", (from(nil, "a", { ns = "a" })))
    assert.equal("b/a b/x", (from("a", "a", { ns = "b" })))
    rows, n = from("b", "a", { ns = "a" })
    assert.equal("", rows)
    assert.equal(0, n)
    assert.equal("a/z", (from("a", "a", { f1 = "repo-a" })))
  end)

  it("give every row once across many batches", function()
    for i = 1, 600 do
      add(s, ("n%04d"):format(i), { ns = i % 2 == 0 and "even" or "odd", spec = ("x"):rep(2000) })
    end
    local rows = s:list { kind = "things" }
    assert.equal(607, #rows)
    local before = ""
    for _, row in ipairs(rows) do
      local key = row.ns .. "\0" .. row.name
      assert.is_true(before < key)
      assert.truthy(row.json:find('"resourceVersion":"' .. row.rv .. '"', 1, true))
      before = key
    end
  end)

  it("report the number of their beginning and stay whole when rows change meanwhile", function()
    for i = 1, 600 do
      add(s, ("n%04d"):format(i), { ns = "c", spec = ("x"):rep(2000) })
    end
    local started = s:rv()
    local rows, rv = s:list({ kind = "things", ns = "c" }, nil, function()
      add(s, "n0600", { ns = "c", spec = "changed" })
      add(s, "n0601", { ns = "c" })
      assert(s:commit { support.del("n0001", { ns = "c" }) })
    end)
    assert.equal(started, rv)
    assert.equal("n0001", rows[1].name) -- the first batch was read before
    assert.equal("n0601", rows[#rows].name)
    assert.equal(601, #rows)
    local later = s:changes("things", "c", rv)
    assert.equal("n0600 n0601 n0001", names(later))
  end)

  it("may be left in the middle", function()
    assert.equal("/cluster a/B", names(s:list({ kind = "things" }, 2), true))
    assert.equal("others/else", s:list { kind = "others" }[1].kind .. "/else")
  end)

  it("of an empty store have a number that is not zero", function()
    local empty = support.open()
    local rows, rv = empty:list { kind = "things" }
    assert.same({}, rows)
    assert.is_true(rv > 0)
    assert.equal(empty:rv(), rv)
  end)
end)
