-- SPDX-License-Identifier: Apache-2.0
-- A short run of spec/torture/disk; the long one is started by hand.
local shell = require("spec.lib.server").shell

describe("the server", function()
  it("loses nothing to full, read-only and damaged disks, nor to the clock", function()
    local out, code = shell("spec/torture/disk")
    assert.are.equal(0, code, out)
  end)
end)
