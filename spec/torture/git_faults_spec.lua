-- SPDX-License-Identifier: Apache-2.0
-- A short run of spec/torture/git-faults; the long one is started by hand.
local shell = require("spec.lib.server").shell

describe("the server", function()
  it("answers by its deadline when the git server is sick", function()
    local out, code = shell("spec/torture/git-faults --timeout 6")
    assert.are.equal(0, code, out)
  end)
end)
