-- SPDX-License-Identifier: Apache-2.0
-- A short run of spec/torture/threads. spec/run --all runs it on a ThreadSanitizer build, too.
local shell = require("spec.lib.server").shell

describe("the server", function()
  it("does everything at once from many clients and loses nothing", function()
    local out, code = shell("spec/torture/threads --seconds 5")
    assert.are.equal(0, code, out)
  end)
end)
