-- SPDX-License-Identifier: Apache-2.0
-- A short run of spec/torture/fuzz-http; the long one is started by hand.
local shell = require("spec.lib.server").shell

describe("the server", function()
  it("survives random requests", function()
    local out, code = shell("spec/torture/fuzz-http --requests 1000 --seed 7")
    assert.are.equal(0, code, out)
  end)
end)
