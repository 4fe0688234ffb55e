-- SPDX-License-Identifier: Apache-2.0

local functions = require("spec.lua.fn.functions")

local HEAD = "kind: Kptfile\nmetadata:\n  name: p\n"

local function fix(kptfile, more, opts)
  local files = more or {}
  files.Kptfile = kptfile
  return functions.run("fix", files, nil, opts)
end

local function definition(name, kind, text)
  return ("    io.k8s.cli.%ss.%s:\n      x-k8s-cli:\n        %s:\n          name: %s\n%s")
    :format(kind, name, kind, name, text)
end

describe("fix", function()
  it("leaves a package of today alone", function()
    local kptfile = "apiVersion: kpt.dev/v1\n" .. HEAD
    local answer = fix(kptfile)
    assert.equal(kptfile, answer.files.Kptfile)
    assert.equal("This package is already fixed as it is on latest apiVersion kpt.dev/v1",
      answer.results[1].message)
  end)

  it("keeps comments of a Kptfile that it moves on", function()
    local answer = fix("# licence\napiVersion: kpt.dev/v1alpha2\n" .. HEAD .. "pipeline:\n"
      .. "  mutators:\n  # why\n  - image: gcr.io/kpt-fn/apply-setters:v0.2 # pinned\n"
      .. "    configMap:\n      b: x\n      a: \"1\"\n")
    assert.equal("# licence\napiVersion: kpt.dev/v1\n" .. HEAD .. "pipeline:\n  mutators:\n"
      .. "  # why\n  - image: gcr.io/kpt-fn/apply-setters:v0.2 # pinned\n"
      .. "    configPath: setters.yaml\n",
      answer.files.Kptfile)
    assert.equal("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: setters\ndata:\n  a: \"1\"\n"
      .. "  b: x\n", answer.files["setters.yaml"])
  end)

  it("names the file of setters as the version does", function()
    local answer = fix("apiVersion: kpt.dev/v1alpha1\n" .. HEAD .. "openAPI:\n  definitions:\n"
      .. definition("n", "setter", "          value: v\n"), nil, { version = "v0.2.0" })
    assert.is_truthy(answer.files["setters-config.yaml"])
  end)

  it("resolves substitutions of substitutions", function()
    local function marker(name, kind)
      return "          - marker: ${" .. name .. "}\n            ref: '#/definitions/io.k8s.cli."
        .. kind .. "s." .. name .. "'\n"
    end
    local kptfile = "apiVersion: kpt.dev/v1alpha1\n" .. HEAD .. "openAPI:\n  definitions:\n"
      .. definition("n", "setter", "          value: v\n")
      .. definition("in", "substitution", "          pattern: a-${n}\n          values:\n"
        .. marker("n", "setter"))
    local resource = "apiVersion: v1\nkind: X\nmetadata:\n  name: x # {\"$kpt-set\":\"out\"}\n"
    local answer = fix(kptfile .. definition("out", "substitution",
      "          pattern: ${in}-b\n          values:\n" .. marker("in", "substitution")),
      { ["x.yaml"] = resource })
    assert.equal("apiVersion: v1\nkind: X\nmetadata:\n  name: x # kpt-set: a-${n}-b\n",
      answer.files["x.yaml"])
    answer = fix(kptfile .. definition("out", "substitution",
      "          pattern: ${out}\n          values:\n" .. marker("out", "substitution")),
      { ["x.yaml"] = resource })
    assert.equal("cyclic substitution detected with name out", answer.error)
  end)

  it("needs a Kptfile", function()
    local answer = functions.run("fix",
      { ["x.yaml"] = "apiVersion: v1\nkind: X\nmetadata: {name: x}\n" })
    assert.equal("failed to fix package: Kptfile not found in directory tree, make sure you "
      .. "specify '--include-meta-resources' flag", answer.results[1].message)
  end)
end)
