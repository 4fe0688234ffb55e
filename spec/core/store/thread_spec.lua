local support = require "spec.core.store.support"

describe("many threads", function()
  after_each(support.clean)

  it("commit, list, read and follow the log at the same time", function()
    local s = support.open { change_rows = 100000 }
    local before = s:rv()
    assert.equal(0, (s:load(8, 4, 60, 1500)))
    assert.equal(before + 8 * 60, s:rv())
    assert.equal(8 * 50, s:count { kind = "kind" })
    local stats = s:stats()
    assert.equal(8 * 60, stats.commits)
    assert.is_true(stats.groups < stats.commits) -- several callers shared a sync
  end)

  it("in one group do not harm each other when one of them fails", function()
    local s = support.open()
    local taken = support.add(s, "taken", { kind = "kind", ns = "ns" })
    local before = s:stats()
    -- Half of what the eight threads commit is refused, in the same groups as the other half.
    assert.equal(0, (s:load(8, 1, 40, 100, true)))
    local after = s:stats()
    assert.equal(8 * 40, after.commits - before.commits)
    assert.equal(8 * 40, after.changes - before.changes)
    assert.is_true(after.groups - before.groups < 8 * 40)
    assert.equal(taken + 8 * 40, s:rv())
    assert.equal(8 * 40 + 1, s:count { kind = "kind" })
    local expected = taken
    for _, c in ipairs(assert(s:changes("kind", nil, taken))) do
      expected = expected + 1
      assert.equal(expected, c.rv) -- refused commits leave no gap either
    end
    assert.equal(s:rv(), expected)
  end)
end)
