local support = require "spec.core.store.support"
local probe = require "probe_store"

describe("content", function()
  after_each(support.clean)

  it("is found by its id, byte for byte", function()
    local s = support.open()
    local id, other = ("\0\1"):rep(10), ("\255"):rep(20)
    assert(s:commit { { op = "content", id = id, type = 2, bytes = "tree\0bytes" },
      { op = "content", id = other, type = 3, bytes = "" } })
    local bytes, kind = s:content_get(id)
    assert.equal("tree\0bytes", bytes)
    assert.equal(2, kind)
    assert.equal("", (s:content_get(other)))
    assert.is_true(s:content_has(id))
    assert.is_false(s:content_has(("\1"):rep(20)))
    local none, err = s:content_get(("\1"):rep(20))
    assert.is_nil(none)
    assert.equal("not-found", err.kind)
  end)

  it("may be written again without harm or number", function()
    local s = support.open()
    local op = { op = "content", id = ("x"):rep(20), type = 3, bytes = ("b"):rep(100000) }
    local rv = s:rv()
    assert(s:commit { op, op })
    assert(s:commit { op })
    assert.equal(op.bytes, (s:content_get(op.id)))
    assert.equal(rv, s:rv())
  end)
end)

describe("journal", function()
  after_each(support.clean)

  local s
  before_each(function()
    s = support.open()
    for _, key in ipairs { "push/b", "push/a", "push", "pusi", "bulk/1", "push/\255", "push/\0" } do
      assert(s:commit { { op = "journal_put", key = key, value = "<" .. key .. ">" } })
    end
  end)

  local function keys(prefix)
    local out = {}
    for i, row in ipairs(s:journal(prefix)) do
      out[i] = row.key
      assert.equal("<" .. row.key .. ">", row.value)
    end
    return out
  end

  it("is read by prefix in key order", function()
    assert.same({ "push/\0", "push/a", "push/b", "push/\255" }, keys("push/"))
    assert.same({ "push/\255" }, keys("push/\255"))
    assert.equal(7, #keys(""))
    assert.same({}, keys("q"))
  end)

  it("replaces and deletes", function()
    assert(s:commit { { op = "journal_put", key = "bulk/1", value = "done" },
      { op = "journal_del", key = "pusi" }, { op = "journal_del", key = "never there" } })
    assert.equal("done", s:journal("bulk")[1].value)
    assert.same({}, s:journal("pusi"))
  end)

  it("stops with the callback's error", function()
    assert(s:commit { { op = "journal_put", key = "a", value = "refuse" } })
    local rows, err = s:journal("")
    assert.is_nil(rows)
    assert.equal("invalid", err.kind)
    assert.equal("refused by the callback", err.message)
  end)
end)

describe("audit", function()
  after_each(support.clean)

  it("rows are kept in order with a time", function()
    local s, dir = support.open()
    assert(s:commit { { op = "audit", json = '{"n":1}' } })
    assert(s:commit { { op = "audit", json = '{"n":2}' }, support.put("a") })
    s:close()
    local rows = assert(probe.sql(dir .. "/lanai.db", "SELECT json, at FROM audit ORDER BY id"))
    assert.equal('{"n":1}', rows[1].json)
    assert.equal('{"n":2}', rows[2].json)
    assert.is_true(math.abs(tonumber(rows[1].at) // 1000000000 - os.time()) < 60)
  end)
end)
