local support = require "spec.core.store.support"
local put, del, add = support.put, support.del, support.add

describe("store objects", function()
  after_each(support.clean)

  it("returns what was put, with the number filled in", function()
    local s = support.open()
    local numbers, texts = s:commit {
      put("a", { expect = 0, spec = "one", data = "private\0bytes" }),
    }
    local o = assert(s:get("things", "default", "a"))
    assert.equal(numbers[1], o.rv)
    assert.equal(texts[1], o.json)
    assert.equal(
      '{"kind":"Thing","metadata":{"name":"a","namespace":"default","resourceVersion":"' .. o.rv
        .. '"},"spec":"one"}', o.json)
    assert.equal('{"name":"a","namespace":"default","resourceVersion":"' .. o.rv .. '"}', o.meta)
    assert.equal("uid-a", o.uid)
    assert.equal('["a"]', o.cells)
    assert.equal("private\0bytes", o.data)
  end)

  it("finds the metadata wherever it stands beside the number", function()
    local s = support.open()
    local json = '{"resourceVersion":"","metadata":{"a":1}}'
    assert(s:commit { { op = "put", kind = "k", name = "late", json = json, rv_at = 20,
      meta_from = 33, meta_to = 40 } })
    assert.equal('{"a":1}', s:get("k", "", "late").meta)
    json = '{"metadata":{"a":1},"resourceVersion":""}'
    assert(s:commit { { op = "put", kind = "k", name = "early", json = json, rv_at = 39,
      meta_from = 12, meta_to = 19 } })
    assert.equal('{"a":1}', s:get("k", "", "early").meta)
  end)

  it("says not-found for what is absent, by kind, namespace and name", function()
    local s = support.open()
    add(s, "a")
    for _, key in ipairs { { "things", "default", "b" }, { "things", "other", "a" },
      { "other", "default", "a" } } do
      local o, err = s:get(key[1], key[2], key[3])
      assert.is_nil(o)
      assert.equal("not-found", err.kind)
    end
  end)

  it("refuses an object larger than the memory of the request", function()
    local s = support.open()
    add(s, "a", { spec = ("x"):rep(10000) })
    local o, err = s:get("things", "default", "a", 8192)
    assert.is_nil(o)
    assert.equal("too-large", err.kind)
  end)

  describe("expectations", function()
    local s, rv
    before_each(function()
      s = support.open()
      rv = add(s, "a", { spec = "old" })
    end)

    local function refused(op, kind)
      local before = s:rv()
      local ok, err = s:commit { op }
      assert.is_nil(ok)
      assert.equal(kind, err.kind)
      assert.equal(op.name, err.name)
      assert.equal("things", err.object_kind)
      assert.equal(before, s:rv())
      assert.equal(rv, s:get("things", "default", "a").rv)
    end

    it("a create fails when the object exists", function()
      refused(put("a", { expect = 0 }), "already-exists")
    end)
    it("an update fails when somebody was faster", function()
      local old = rv
      rv = add(s, "a", { expect = rv })
      refused(put("a", { expect = old }), "conflict")
      refused(del("a", { expect = old }), "conflict")
    end)
    it("an update fails when the object is gone", function()
      refused(put("b", { expect = rv }), "not-found")
      refused(del("b", { expect = rv }), "not-found")
      refused(del("b"), "not-found")
    end)
    it("without expectation a put creates and replaces", function()
      assert.is_true(add(s, "b") > rv)
      assert.is_true(add(s, "b", { spec = "new" }) > rv)
      assert.truthy(s:get("things", "default", "b").json:find('"new"', 1, true))
    end)
    it("a read set must be unchanged, also where nothing was", function()
      local function check(name, n)
        return { op = "check", kind = "things", ns = "default", name = name, rv = n }
      end
      assert(s:commit { check("a", rv), check("none", 0), put("c") })
      local ok, err = s:commit { put("d"), check("a", rv - 1) }
      assert.is_nil(ok)
      assert.equal("conflict", err.kind)
      assert.equal("a", err.name)
      assert.is_nil(s:get("things", "default", "d"))
      assert.is_nil((s:commit { put("d"), check("none", 7) }))
      assert.is_nil((s:commit { put("d"), check("a", 0) }))
    end)
    it("a name range that was empty must be so still", function()
      local function none(prefix)
        return { op = "check_none", kind = "things", ns = "default", name = prefix }
      end
      assert(s:commit { put("range.a"), none("range."), none("zz"), none("rangf") })
      local ok, err = s:commit { put("d"), none("range.") }
      assert.is_nil(ok)
      assert.equal("conflict", err.kind)
      assert.equal("range.", err.name)
      assert.is_nil((s:commit { put("d"), none("range.a") }))
      assert(s:commit { del("range.a"), none("range.b") })
      assert(s:commit { put("range.c"), none("range.") })
      assert(s:commit { del("range.c") })
    end)
    it("refuses offsets that do not fit the text", function()
      for _, wrong in ipairs { { rv_at = 3 }, { rv_at = 4000 }, { meta_to = 4000 },
        { meta_from = 50, meta_to = 20 } } do
        refused(put("z", wrong), "internal")
      end
    end)
  end)

  it("is all or nothing", function()
    local s = support.open()
    add(s, "taken")
    local before = s:rv()
    local ok, err = s:commit {
      put("new"), { op = "journal_put", key = "k", value = "v" },
      { op = "content", id = ("i"):rep(20), type = 3, bytes = "b" },
      put("taken", { expect = 0 }),
    }
    assert.is_nil(ok)
    assert.equal("already-exists", err.kind)
    assert.equal("taken", err.name)
    assert.is_nil(s:get("things", "default", "new"))
    assert.same({}, s:journal(""))
    assert.is_false(s:content_has(("i"):rep(20)))
    assert.equal(before, s:rv())
    assert.equal(before + 1, add(s, "next"))
  end)

  it("fails whole when the transaction outgrows its memory", function()
    local s = support.open()
    local before, ops = s:rv(), {}
    for i = 1, 200 do
      ops[i] = put("n" .. i)
    end
    local ok, err = s:commit(ops, 4096)
    assert.is_nil(ok)
    assert.equal("too-large", err.kind)
    assert.equal(before, s:rv())
    assert(s:commit(ops))
  end)

  it("numbers every change by one sequence, in the order of the operations", function()
    local s = support.open()
    local first = s:rv()
    local numbers = s:commit { put("a"), put("b", { kind = "others" }), put("a"), del("a") }
    assert.same({ first + 1, first + 2, first + 3, first + 4 }, numbers)
    assert.equal(first + 4, s:rv())
    assert.is_nil(s:get("things", "default", "a"))
  end)

  it("never gives a number twice, also after everything was deleted and reopened", function()
    local s, dir = support.open { change_rows = 1, change_age_s = -1 }
    for _ = 1, 20 do
      add(s, "a")
      assert(s:commit { del("a") })
    end
    local last = s:rv()
    s:close()
    s = support.open { dir = dir }
    assert.equal(last, s:rv())
    assert.equal(last + 1, add(s, "a"))
  end)

  it("keeps an object readable however long ago it was written", function()
    local s = support.open { change_rows = 4, change_age_s = -1 }
    local rv = add(s, "old", { spec = "kept" })
    for i = 1, 200 do
      add(s, "busy", { spec = tostring(i) })
    end
    local o = assert(s:get("things", "default", "old"))
    assert.equal(rv, o.rv)
    assert.truthy(o.json:find('"kept"', 1, true))
    assert.equal("busy old", support.names(s:list { kind = "things" }))
  end)

  it("wakes readers after each commit with the newest number, and counts", function()
    local s = support.open()
    s:wake_add()
    add(s, "a")
    local rv = add(s, "b", { spec = ("x"):rep(1000) })
    assert.is_nil((s:commit { put("a", { expect = 0 }) }))
    local stats = s:stats()
    s:close()
    local calls, last = s:wakes()
    assert.equal(2, calls)
    assert.equal(rv, last)
    assert.equal(2, stats.commits)
    assert.equal(2, stats.groups)
    assert.equal(2, stats.changes)
    assert.is_true(stats.commit_ns > 0)
    assert.is_true(stats.bytes > 1000)
  end)

  it("has everything after closing and opening again", function()
    local s, dir = support.open()
    local rv = add(s, "a", { spec = "x" })
    add(s, "b")
    assert(s:commit { del("b"), { op = "journal_put", key = "j", value = "v" } })
    s:close()
    s = support.open { dir = dir }
    assert.equal(rv, s:get("things", "default", "a").rv)
    assert.equal("a", support.names(s:list { kind = "things" }))
    assert.equal("v", s:journal("")[1].value)
    assert.equal(3, #s:changes("things", nil, 0))
  end)
end)
