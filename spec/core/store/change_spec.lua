local support = require "spec.core.store.support"
local put, del, add = support.put, support.del, support.add

local function lines(rows)
  local out = {}
  for i, c in ipairs(rows) do
    out[i] = ("%s %s %d<%d"):format(c.type, c.name, c.rv, c.prev_rv)
  end
  return table.concat(out, ", ")
end

describe("change log", function()
  after_each(support.clean)

  it("tells what happened, in order, with the number of the state before", function()
    local s = support.open()
    local a = add(s, "a")
    assert(s:commit { put("b"), put("a", { spec = "two" }) })
    assert(s:commit { del("a") })
    local rows, next_rv = s:changes("things", nil, 0)
    assert.equal(("ADDED a %d<0, ADDED b %d<0, MODIFIED a %d<%d, DELETED a %d<%d"):format(
      a, a + 1, a + 2, a, a + 3, a + 2), lines(rows))
    assert.equal(s:rv(), next_rv)
  end)

  it("carries the last state of a deleted object with the number of the deletion", function()
    local s = support.open()
    add(s, "a", { spec = "first" })
    local rv = assert(s:commit { del("a", { spec = "last" }) })[1]
    local c = s:changes("things", nil, rv - 1)[1]
    assert.equal("DELETED", c.type)
    assert.equal(rv, c.rv)
    assert.truthy(c.json:find('"resourceVersion":"' .. rv .. '"},"spec":"last"', 1, true))
    assert.truthy(c.meta:find('"resourceVersion":"' .. rv .. '"}', 1, true))
    add(s, "a")
    assert.equal(0, s:changes("things", nil, rv)[1].prev_rv)
  end)

  it("is read by kind and namespace, moving on past the others", function()
    local s = support.open()
    local first = add(s, "a", { ns = "x" })
    add(s, "b", { ns = "y" })
    add(s, "c", { kind = "others", ns = "x" })
    local rows, next_rv = s:changes("things", "x", 0)
    assert.equal("a", support.names(rows))
    assert.equal(s:rv(), next_rv)
    rows, next_rv = s:changes("things", "x", first)
    assert.same({}, rows)
    assert.equal(s:rv(), next_rv)
    assert.equal("c", support.names(s:changes("others", nil, 0)))
  end)

  it("stops by size and by the reader's wish, and continues there", function()
    local s = support.open()
    for i = 1, 9 do
      add(s, "n" .. i, { spec = ("x"):rep(1000) })
    end
    local rows, next_rv = s:changes("things", nil, 0, 3000)
    assert.equal("n1 n2 n3", support.names(rows))
    rows, next_rv = s:changes("things", nil, next_rv, nil, 2)
    assert.equal("n4 n5", support.names(rows))
    rows, next_rv = s:changes("things", nil, next_rv, 0)
    assert.equal("n6", support.names(rows))
    rows, next_rv = s:changes("things", nil, next_rv)
    assert.equal("n7 n8 n9", support.names(rows))
    assert.equal(s:rv(), next_rv)
    rows, next_rv = s:changes("things", nil, next_rv + 5)
    assert.same({}, rows)
    assert.equal(s:rv() + 5, next_rv)
  end)

  it("says expired when the reader is too far behind", function()
    local s = support.open { change_rows = 10, change_age_s = -1 }
    for i = 1, 100 do
      add(s, "n" .. i)
    end
    local rows, err = s:changes("things", nil, 0)
    assert.is_nil(rows)
    assert.equal("expired", err.kind)
    rows, err = s:changes("others", nil, 5)
    assert.is_nil(rows)
    assert.equal("expired", err.kind)
    rows = assert(s:changes("things", nil, s:rv() - 10))
    assert.equal(10, #rows)
  end)

  it("keeps at least the rows it should and not many more", function()
    local s, dir = support.open { change_rows = 20, change_age_s = -1 }
    for i = 1, 300 do
      add(s, i % 3 == 0 and "a" or "b")
      if i % 50 == 0 then
        assert(s:commit { del("a"), del("b") })
      end
      assert(s:changes("things", nil, math.max(0, s:rv() - 20)))
    end
    s:close()
    local db = dir .. "/lanai.db"
    local function n(sql)
      return tonumber(require("probe_store").sql(db, "SELECT (SELECT " .. sql .. ") AS n")[1].n)
    end
    local floor = n("value FROM meta WHERE key='log_floor'")
    assert.is_true(floor > 250)
    assert.is_true(n("count(*) FROM change") <= 20 + 10 + 2)
    assert.equal(0, n("count(*) FROM change WHERE rv<=" .. floor
      .. " AND rv NOT IN (SELECT rv FROM object)"
      .. " AND rv NOT IN (SELECT prev_rv FROM change WHERE rv>" .. floor .. ")"))
    assert.equal(0, n("count(*) FROM object WHERE rv NOT IN (SELECT rv FROM change)"))
  end)

  it("keeps what is young even when there are many", function()
    local s = support.open { change_rows = 5, change_age_s = 3600 }
    for i = 1, 50 do
      add(s, "n" .. i)
    end
    assert.equal(50, #s:changes("things", nil, 0))
  end)

  it("lets go of changes that a wrong clock dated into the future", function()
    local s, dir = support.open()
    for i = 1, 20 do
      add(s, "n" .. i)
    end
    s:close()
    require("probe_store").sql(dir .. "/lanai.db", "UPDATE change SET at=at+1000000000")
    s = support.open { dir = dir, change_rows = 5, change_age_s = 3600 }
    local rv = add(s, "late")
    assert.equal(22, rv) -- numbers do not know about clocks
    local rows, err = s:changes("things", nil, 0)
    assert.is_nil(rows)
    assert.equal("expired", err.kind)
  end)

  it("shows the state before each change that is still in the log", function()
    local s = support.open { change_rows = 10, change_age_s = -1 }
    local old = add(s, "old", { spec = "before" })
    for i = 1, 100 do
      add(s, "n" .. i % 4, { spec = "v" .. i })
    end
    add(s, "old", { spec = "after" })
    local rows = s:changes("things", nil, s:rv() - 10)
    assert.equal(10, #rows)
    for _, c in ipairs(rows) do
      assert.equal(c.name, assert(s:change_get(c.prev_rv)).name)
    end
    assert.equal(old, rows[10].prev_rv)
    assert.truthy(s:change_get(old).json:find('"before"', 1, true))
    for i = 1, 20 do
      add(s, "m" .. i)
    end
    local state, err = s:change_get(old)
    assert.is_nil(state)
    assert.equal("not-found", err.kind)
  end)
end)
