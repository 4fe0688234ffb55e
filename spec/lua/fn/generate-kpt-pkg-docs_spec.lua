-- SPDX-License-Identifier: Apache-2.0

local functions = require("spec.lua.fn.functions")

describe("generate-kpt-pkg-docs", function()
  it("describes setters, packages inside and resources", function()
    local answer = functions.run("generate-kpt-pkg-docs", {
      Kptfile = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n",
      ["sub/Kptfile"] = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: s\n",
      ["sub/x.yaml"] = "apiVersion: v1\nkind: X\nmetadata:\n  name: hidden\n",
      ["role.yaml"] = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n"
        .. "  name: r # kpt-set: ${name}\n  namespace: n\n",
    }, "apiVersion: v1\nkind: ConfigMap\ndata: {repo-path: 'https://x/'}\n")
    local text = answer.results[1].message
    for _, part in ipairs({ "# p\n\n", "| name | r     | str  |     1 |\n", "- [s](sub)\n",
      "| role.yaml | rbac.authorization.k8s.io/v1 | Role | r    | n         |\n",
      "v1.22/#role-v1-rbac-authorization-k8s-io)\n", "kpt pkg get https://x/p@${VERSION}\n" }) do
      assert.is_truthy(text:find(part, 1, true), part)
    end
    assert.is_nil(text:find("hidden", 1, true))
  end)

  it("needs a root Kptfile", function()
    local answer = functions.run("generate-kpt-pkg-docs",
      { ["x.yaml"] = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n" })
    assert.equal("failed to generate doc: unable to find root Kptfile, please include "
      .. "--include-meta-resources flag if a Kptfile is present", answer.results[1].message)
  end)
end)
