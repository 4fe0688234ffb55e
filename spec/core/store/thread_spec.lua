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
    support.add(s, "taken")
    assert.equal(0, (s:load(4, 1, 30, 100)))
    local _, err = s:commit { support.put("taken", { expect = 0 }) }
    assert.equal("already-exists", err.kind)
    assert.equal(4 * 30, s:count { kind = "kind" })
  end)
end)
