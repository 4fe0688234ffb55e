-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m # kept\n"

local function run(files, config, opts)
  return functions.run("set-annotations", files, config, opts)
end

local function config(data)
  return "apiVersion: v1\nkind: ConfigMap\ndata:" .. data
end

describe("set-annotations", function()
  it("sets annotations as strings, by name, and reports each field", function()
    local got = run({ ["a.yaml"] = MAP }, config("\n  b: yes\n  a: 1\n"))
    assert.is_true(got.ok)
    assert.equal(MAP .. '  annotations:\n    a: "1"\n    b: yes\n', (got.files["a.yaml"]
      :gsub('"yes"', "yes")))
    assert.same({ { message = 'set annotations: {"a":"1","b":"yes"}',
      field = { path = "metadata.annotations" }, file = { path = "a.yaml" } } }, got.results)
  end)

  it("keeps quotes and comments of a value that it changes", function()
    local got = run({ ["a.yaml"] = MAP .. "  annotations:\n    a: 'x' # why\n" },
      config("\n  a: z\n"))
    assert.equal(MAP .. "  annotations:\n    a: 'z' # why\n", got.files["a.yaml"])
  end)

  it("reaches the pods of a CronJob, whose maps it makes", function()
    local got = run({ ["a.yaml"] = "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: j\n" },
      config("\n  a: z\n"))
    local text = got.files["a.yaml"]
    local _, n = text:gsub("annotations:\n%s*a: z\n", "")
    assert.equal(3, n)
    assert.same({ "metadata.annotations", "spec.jobTemplate.metadata.annotations",
      "spec.jobTemplate.spec.template.metadata.annotations" },
      { got.results[1].field.path, got.results[2].field.path, got.results[3].field.path })
  end)

  it("sets further fields, made only where that is asked for", function()
    local typed = "apiVersion: fn.kpt.dev/v1alpha1\nkind: SetAnnotations\nannotations: {a: z}\n"
      .. "additionalAnnotationFields:\n- path: spec/list[]/notes\n  kind: X\n"
      .. "- path: spec/other/notes\n  kind: X\n"
    local got = run({ ["a.yaml"] = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\nspec:\n  list:\n"
      .. "  - notes: {b: y}\n  - other: 1\n" }, typed)
    assert.truthy(got.files["a.yaml"]:find("- notes: {b: y, a: z}\n  - other: 1\n", 1, true))
    assert.equal(2, #got.results)
  end)

  it("says what is wrong with its configuration", function()
    for text, message in pairs({
      [config(" {}\n")] = "input annotation list cannot be empty",
      ["apiVersion: v1\nkind: Other\n"] =
        "`functionConfig` must be a `ConfigMap` or `SetAnnotations`",
      ["apiVersion: fn.kpt.dev/v1alpha1\nkind: SetAnnotations\nfieldSpecs: []\n"] =
        "`fieldSpecs` has been deprecated, please rename it to `additionalAnnotationFields`",
    }) do
      local got = run({ ["a.yaml"] = MAP }, text)
      assert.is_false(got.ok)
      assert.equal("[error]: failed to configure function: " .. message, got.error)
      assert.equal("failed to configure function: " .. message, got.results[1].message)
      assert.equal(MAP, got.files["a.yaml"])
    end
    assert.is_false(run({ ["a.yaml"] = MAP }).ok)
  end)

  it("says so when there is nothing to annotate", function()
    assert.equal("no annotations applied", run({}, config("\n  a: z\n")).results[1].message)
  end)
end)
