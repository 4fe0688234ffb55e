-- SPDX-License-Identifier: Apache-2.0
-- core/repo/sweep.c: mirrors that nobody needs.
local probe = require("probe_repo")
local s = require("spec.core.repo.support")

describe("a sweep of mirrors", function()
  local pool, dir

  before_each(function()
    pool = assert(probe.open(s.tmp()))
    dir = s.bare()
  end)

  after_each(function()
    pool:close()
    s.clean()
  end)

  local function exists(path)
    return os.execute("test -d " .. path) == true
  end

  it("keeps what is named or in use, and removes the rest", function()
    local named = assert(pool:repo({ url = dir }))
    local used = assert(pool:repo({ url = s.bare() }))
    local unused = assert(pool:repo({ url = s.bare() }))
    local same_url = assert(pool:repo({ url = dir, auth = "bearer", token = "old" }))
    assert(named:fetch())
    local paths = { named:mirror(), used:mirror(), unused:mirror(), same_url:mirror() }
    named:close()
    unused:close()
    same_url:close()
    assert.equal(2, pool:sweep({ dir }))
    assert.same({ true, true, false, false }, { exists(paths[1]), exists(paths[2]),
      exists(paths[3]), exists(paths[4]) })
    used:close()
    assert.equal(1, pool:sweep({ dir }))
    assert.is_false(exists(paths[2]))
  end)

  it("leaves a pool that opens the same repositories again", function()
    local repo = assert(pool:repo({ url = dir }))
    local head = assert(repo:fetch()).head
    repo:close()
    assert.equal(1, pool:sweep({}))
    repo = assert(pool:repo({ url = dir }))
    assert.equal(head, assert(repo:fetch()).head)
    s.fsck(repo:mirror())
  end)
end)
