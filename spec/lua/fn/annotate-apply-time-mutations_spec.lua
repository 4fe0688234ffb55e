-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local HEAD = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n"

local function run(text)
  return functions.run("annotate-apply-time-mutations", { ["a.yaml"] = text })
end

local function annotated(lines, rest)
  return HEAD .. "  annotations:\n    config.kubernetes.io/apply-time-mutation: |\n      "
    .. lines:gsub("\n", "\n      ") .. "\n" .. rest
end

describe("annotate-apply-time-mutations", function()
  it("reads references with and without group, version and namespace", function()
    for reference, ref in pairs({
      ["g.io/Kind/n"] = "group: g.io\n    kind: Kind\n    name: n",
      ["/Kind/n"] = "kind: Kind\n    name: n",
      ["g.io/v1/Kind/n"] = "apiVersion: g.io/v1\n    kind: Kind\n    name: n",
      ["/v1/namespaces/s/Kind/n"] = "apiVersion: v1\n    kind: Kind\n    name: n\n    namespace: s",
      ["/namespaces/s/Kind/n"] = "kind: Kind\n    name: n\n    namespace: s",
    }) do
      local field = "a: 0 # apply-time-mutation: ${" .. reference .. ":$.b}\n"
      assert.equal(annotated("- sourcePath: $.b\n  sourceRef:\n    " .. ref
        .. "\n  targetPath: $.a", field), run(HEAD .. field).files["a.yaml"])
    end
  end)

  it("puts a token into text and does the same again", function()
    local got = run(HEAD .. "a: x # apply-time-mutation: y-${g/K/n:$.b}-z\n")
    assert.truthy(got.files["a.yaml"]:find("a: y-${ref0}-z # apply-time-mutation: y-", 1, true))
    assert.same(got.files, run(got.files["a.yaml"]).files)
    assert.equal("Wrote apply-time-mutation annotation (item: 0)", got.results[1].message)
  end)

  it("fails on references that it cannot read, naming the resource", function()
    for _, comment in ipairs({ "${K/n:$.b}x/", "none", "${g/K/n}", "${g/v/w/K/n:$.b}" }) do
      local text = HEAD .. "a: x # apply-time-mutation: " .. comment .. "\n"
      local got = run(text)
      assert.equal(comment == "${K/n:$.b}x/" and "invalid reference `K/n:$.b`: expected "
        .. "<group>/<kind>/<name>:<path>" or got.error, got.error)
      assert.is_false(got.ok)
      assert.equal("x", got.results[1].resourceRef.name)
      assert.equal(text, got.files["a.yaml"])
    end
  end)

  it("refuses an ApplyTimeMutation without a target", function()
    local got = run("apiVersion: fn.kpt.dev/v1alpha1\nkind: ApplyTimeMutation\nmetadata:\n"
      .. "  name: m\nspec: {}\n")
    assert.equal("targetRef and substitutions are needed", got.error)
  end)
end)
