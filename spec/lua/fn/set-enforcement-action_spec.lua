-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local POLICY = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K\nmetadata:\n  name: p\n"

local function run(text, data)
  return functions.run("set-enforcement-action", { ["a.yaml"] = text },
    "apiVersion: v1\nkind: ConfigMap\ndata:" .. data)
end

describe("set-enforcement-action", function()
  it("makes the field where it is missing", function()
    local got = run(POLICY, "\n  enforcementAction: warn\n")
    assert.equal(POLICY .. "spec:\n  enforcementAction: warn\n", got.files["a.yaml"])
    assert.equal("Policy name: [p]", got.results[2].message)
  end)

  it("keeps quotes and comments", function()
    local got = run(POLICY .. "spec:\n  enforcementAction: \"deny\" # kpt-set: ${e}\n",
      "\n  enforcementAction: dryrun\n")
    assert.equal(POLICY .. "spec:\n  enforcementAction: \"dryrun\" # kpt-set: ${e}\n",
      got.files["a.yaml"])
  end)

  it("warns when there is no policy of that version", function()
    local got = run((POLICY:gsub("v1beta1", "v1")), "\n  enforcementAction: deny\n")
    assert.same({ { severity = "warning", message = "Found no policy to set to [deny]" } },
      got.results)
  end)

  it("takes one of three actions and nothing else", function()
    for data, message in pairs({
      [" {}\n"] = "expecting exactly 1 enforcementAction as part of the ConfigMap",
      ["\n  a: b\n  enforcementAction: deny\n"] =
        "expecting exactly 1 enforcementAction as part of the ConfigMap",
      ["\n  enforcementAction: Deny\n"] =
        "expected values for enforcementAction are [deny] or [warn] or [dryrun]",
    }) do
      local got = run(POLICY, data)
      assert.is_false(got.ok)
      assert.equal("failed to process policies: " .. message, got.error)
    end
  end)
end)
