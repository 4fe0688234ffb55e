-- SPDX-License-Identifier: Apache-2.0
local merge = require("probe_merge")

local function pod(body)
  return "apiVersion: v1\nkind: Pod\nspec:\n" .. body
end

describe("a strategic patch on YAML", function()
  it("merges maps and listed lists, comments staying", function()
    assert.same(pod("  containers: # all\n  - name: a\n    tty: true # mine\n    image: i:2\n"
      .. "  - name: b\n"),
      (merge.patch(pod("  containers: # all\n  - name: a\n    tty: true # mine\n"
        .. "    image: i:1\n"),
        pod("  containers:\n  - name: b\n  - name: a\n    image: i:2\n"))))
  end)

  it("puts new elements first when told so", function()
    assert.same(pod("  volumes:\n  - name: b\n  - name: a\n"),
      (merge.patch(pod("  volumes:\n  - name: a\n"), pod("  volumes:\n  - name: b\n"),
        { prepend = true })))
  end)

  it("follows directives", function()
    assert.same(pod("  containers:\n  - name: b\n"),
      (merge.patch(pod("  containers:\n  - name: a\n  - name: b\n"),
        pod("  containers:\n  - name: a\n    $patch: delete\n"))))
    assert.same("a: {x: 2}\n", (merge.patch("a: {y: 1}\n", "a:\n  $patch: replace\n  x: 2\n")))
    assert.is_false((merge.patch("a: 1\n", "$patch: delete\n")))
    local got, err = merge.patch("a: 1\n", "$patch: melt\n")
    assert.is_nil(got)
    assert.same("unknown patch strategy 'melt'", err.message)
  end)

  it("deletes by null, and lets other nulls stay", function()
    assert.same("b: null\n", (merge.patch("a: 1\nb: null\n", "a: null\n")))
  end)
end)
