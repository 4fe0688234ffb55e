-- SPDX-License-Identifier: Apache-2.0
-- A short run of spec/torture/stalled-watcher; the long one is started by hand.
local shell = require("spec.lib.server").shell

describe("the server", function()
  it("is not slowed down by a watcher that never reads", function()
    local out, code = shell("spec/torture/stalled-watcher --mutations 400 --tolerance 3")
    assert.are.equal(0, code, out)
  end)
end)
