-- SPDX-License-Identifier: Apache-2.0

local support = require "spec.core.store.support"
local probe = require "probe_store"

local BLOB, TREE = 3, 2

local function id(n)
  return ("id-%017d"):format(n)
end

local function hex(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function blob(n)
  return { op = "content", id = id(n), type = BLOB, bytes = "blob " .. n }
end

local function tree(n, ...)
  local bytes = {}
  for i, child in ipairs { ... } do
    bytes[i] = "100644 file" .. i .. "\0" .. id(child)
  end
  return { op = "content", id = id(n), type = TREE, bytes = table.concat(bytes) }
end

-- An object whose data name this content.
local function user(name, n, fields)
  fields = fields or {}
  fields.data = n and ('{"kind":"x","tree":"%s"}'):format(hex(id(n))) or ""
  return support.put(name, fields)
end

local function present(s, from, to)
  local out = {}
  for n = from, to do
    if s:content_has(id(n)) then
      out[#out + 1] = n
    end
  end
  return table.concat(out, " ")
end

describe("the removal of content", function()
  after_each(support.clean)

  it("keeps what objects and the journal name, with all that is in it", function()
    local s = support.open()
    assert(s:commit { blob(1), blob(2), blob(3), blob(4), blob(5), blob(6), blob(7), tree(10, 1, 2),
      tree(11, 10, 3), tree(12, 4, 10), tree(13, 99, 5), tree(14, 6), tree(15),
      user("draft", 11), user("loose", 15), user("plain"), user("hidden", 14, { sealed = true }),
      { op = "journal_put", key = "push/x", value = '{"tree":"' .. hex(id(13)) .. '","n":1}' } })
    assert(s:collect())
    assert.equal("1 2 3 5 10 11 13 15", present(s, 1, 20))
    assert.equal(5, s:stats().removed) -- 4 6 7 12 14
    local bytes = s:content_get(id(10))
    assert.equal(tree(10, 1, 2).bytes, bytes)
  end)

  it("removes what an object had before, and what a deleted one had", function()
    local s = support.open()
    assert(s:commit { blob(1), blob(2), tree(10, 1), tree(11, 1, 2), user("a", 10),
      user("b", 11) })
    assert(s:collect())
    assert.equal("1 2 10 11", present(s, 1, 20))
    assert(s:commit { user("b", 10), support.del "a" })
    assert(s:collect())
    assert.equal("1 10", present(s, 1, 20))
    assert(s:commit { support.del "b" })
    assert(s:collect())
    assert.equal("", present(s, 1, 20))
  end)

  it("spares what is written or needed while it is under way", function()
    local s = support.open()
    assert(s:commit { blob(1), blob(2), blob(3), tree(10, 1), tree(11, 2), tree(12, 3) })
    local calls = 0
    assert(s:collect(function()
      calls = calls + 1
      if calls == 1 then
        assert(s:commit { tree(20, 1), { op = "content_need", id = id(1) }, user("new", 20) })
        assert(s:commit { { op = "content_need", id = id(11) }, { op = "content_need", id = id(2) },
          user("old", 11) })
        assert(s:commit { tree(12, 3), blob(3), user("again", 12) })
      end
    end))
    assert.is_true(calls >= 2)
    assert.equal("1 2 3 11 12 20", present(s, 1, 30))
    assert(s:collect())
    assert.equal("1 2 3 11 12 20", present(s, 1, 30))
  end)

  it("fails a transaction that needs what has been removed meanwhile", function()
    local s = support.open()
    assert(s:commit { blob(1) })
    assert(s:collect())
    local none, err = s:commit { { op = "content_need", id = id(1) }, tree(10, 1), user("a", 10) }
    assert.is_nil(none)
    assert.equal("conflict", err.kind)
    assert.is_false(s:content_has(id(10)))
    assert(s:commit { blob(1), tree(10, 1), user("a", 10) })
    assert(s:collect())
    assert.equal("1 10", present(s, 1, 20))
  end)

  it("goes through any number of rows and can be stopped", function()
    local s, dir = support.open()
    local ops = {}
    for n = 1, 3000 do
      ops[n] = blob(n)
    end
    ops[#ops + 1] = tree(5000, 7, 1500, 2999)
    ops[#ops + 1] = user("a", 5000)
    assert(s:commit(ops))
    local calls = 0
    assert(s:collect(function()
      calls = calls + 1
      return calls < 3
    end))
    local removed = s:stats().removed
    assert.is_true(removed > 500 and removed < 3000)
    assert(s:collect())
    assert.equal("7 1500 2999 5000", present(s, 1, 5000))
    s:close()
    s = support.open { dir = dir }
    assert.equal("7 1500 2999 5000", present(s, 1, 5000))
  end)
end)

describe("the audit trail", function()
  after_each(support.clean)

  local function rows(s, dir)
    s:close()
    local out = probe.sql(dir .. "/lanai.db", "SELECT json FROM audit ORDER BY id")
    return #out, out[1] and out[1].json, out[#out] and out[#out].json
  end

  local function fill(s, from, to)
    for n = from, to do
      assert(s:commit { { op = "audit", json = tostring(n) } })
    end
  end

  it("keeps the newest rows", function()
    local s, dir = support.open { audit_rows = 100 }
    fill(s, 1, 1000)
    local n, oldest, newest = rows(s, dir)
    assert.is_true(n >= 100 and n < 100 + 64 + 1, n)
    assert.equal(tostring(1000 - n + 1), oldest)
    assert.equal("1000", newest)
  end)

  it("forgets rows that are too old, also many that have gathered", function()
    local s, dir = support.open()
    fill(s, 1, 500)
    s:close()
    probe.sql(dir .. "/lanai.db", "UPDATE audit SET at=at-86401*1000000000 WHERE id<=400")
    s = support.open { dir = dir, audit_age_s = 86400 }
    fill(s, 501, 650)
    local n, oldest = rows(s, dir)
    assert.equal("401", oldest)
    assert.equal(250, n)
  end)

  it("is whole under the usual limits", function()
    local s, dir = support.open()
    fill(s, 1, 200)
    assert.equal(200, (rows(s, dir)))
  end)
end)
