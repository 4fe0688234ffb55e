-- SPDX-License-Identifier: Apache-2.0
-- A short run of spec/torture/kill9; the long one is started by hand.
local shell = require("spec.lib.server").shell

describe("the server", function()
  it("keeps every acknowledged write over kill -9", function()
    local out, code = shell("spec/torture/kill9 --rounds 10 --seed 7")
    assert.are.equal(0, code, out)
  end)
end)
