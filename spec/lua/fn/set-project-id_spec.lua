-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local KPTFILE = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p # mine\n"

local function run(files)
  return functions.run("set-project-id", files,
    "apiVersion: v1\nkind: ConfigMap\ndata:\n  project-id: foo\n")
end

local function pipeline(rest)
  return KPTFILE .. "pipeline:\n  mutators:\n  - image: gcr.io/kpt-fn/apply-setters:v0.1\n" .. rest
end

describe("set-project-id", function()
  it("sets an empty setter and leaves another as it is", function()
    local set = pipeline("    configMap:\n      project-id: bar # stays\n")
    local got = run({ Kptfile = pipeline("    configMap:\n      project-id: ''\n"),
      ["s/Kptfile"] = set })
    assert.equal(pipeline("    configMap:\n      project-id: 'foo'\n"), got.files.Kptfile)
    assert.equal(set, got.files["s/Kptfile"])
  end)

  it("appends the mutator, with the Kptfile's comments kept", function()
    local got = run({ Kptfile = KPTFILE }).files.Kptfile
    assert.equal(KPTFILE, got:sub(1, #KPTFILE))
    assert.truthy(got:find("image: gcr.io/kpt-fn/apply-setters:v0.2\n", 1, true))
    assert.truthy(got:find("project-id: foo\n", 1, true))
  end)

  it("follows configPath below its package", function()
    local map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: s\ndata:\n  a: b\n"
    local got = run({ ["d/Kptfile"] = pipeline("    configPath: s.yaml\n"), ["d/s.yaml"] = map,
      ["s.yaml"] = map })
    assert.equal(map .. "  project-id: foo\n", got.files["d/s.yaml"])
    assert.equal(map, got.files["s.yaml"])
  end)

  it("annotates what Config Connector has, but its core and what is annotated", function()
    local function resource(group, more)
      return ("apiVersion: %s/v1\nkind: X\nmetadata:\n  name: x\n%s"):format(group, more or "")
    end
    local note = "  annotations:\n    cnrm.cloud.google.com/project-id: %s\n"
    local files = { Kptfile = KPTFILE, ["a.yaml"] = resource("sql.cnrm.cloud.google.com"),
      ["b.yaml"] = resource("core.cnrm.cloud.google.com"),
      ["c.yaml"] = resource("sql.cnrm.cloud.google.com", note:format("other")) }
    local got = run(files).files
    assert.equal(files["a.yaml"] .. note:format("foo"), got["a.yaml"])
    assert.equal(files["b.yaml"], got["b.yaml"])
    assert.equal(files["c.yaml"], got["c.yaml"])
  end)

  it("says what is missing", function()
    local front = "failed to set project-id setter: "
    assert.equal(front .. "unable to find Kptfile, please include --include-meta-resources flag if "
      .. "a Kptfile is present", run({}).error)
    assert.equal(front .. "error updating Kptfile: file s.yaml doesn't exist, please ensure the "
      .. 'file specified in "configPath" exists and retry',
      run({ Kptfile = pipeline("    configPath: s.yaml\n") }).error)
    local got = run({ Kptfile = pipeline("    name: x\n") })
    assert.equal(front .. "error updating Kptfile: unable to find `ConfigMap` or `configPath` as "
      .. "the `functionConfig` for apply-setters", got.error)
    assert.equal(got.error, got.results[1].message)
  end)
end)
