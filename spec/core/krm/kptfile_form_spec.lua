-- SPDX-License-Identifier: Apache-2.0
local merge = require("probe_merge")

local HEAD = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n"

local function fails(text)
  local got, err = merge.encode(text)
  assert.is_nil(got)
  return err.message
end

describe("reading a Kptfile", function()
  it("names every unknown field with its line and struct", function()
    assert.same("yaml: unmarshal errors:\n  line 5: field foo not found in type yaml.ObjectMeta\n"
      .. "  line 6: field bar not found in type v1.KptFile\n"
      .. "  line 9: field x not found in type v1.Function",
      fails(HEAD .. "  foo: 1\nbar: 2\npipeline:\n  mutators:\n  - x: 1\n"))
  end)

  it("names wrong types and doubled keys", function()
    assert.same("yaml: unmarshal errors:\n  line 6: cannot unmarshal !!seq into string\n"
      .. "  line 7: cannot unmarshal !!map into []string\n"
      .. "  line 8: cannot unmarshal !!str `x` into v1.Pipeline\n"
      .. "  line 11: mapping key \"a\" already defined at line 10",
      fails(HEAD .. "info:\n  site: [1]\n  keywords: {}\npipeline: x\ninventory:\n"
        .. "  labels: {a: 1,\n    a: 2}\n"))
    assert.same("yaml: unmarshal errors:\n"
      .. "  line 5: cannot unmarshal !!str `a-very-...` into v1.Status",
      fails(HEAD .. "status: a-very-long-text\n"))
    assert.matches("line 6: field kind already set in type v1.KptFile",
      fails("apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n\nkind: Kptfile\n"), 1,
      true)
  end)

  it("knows versions and other kinds", function()
    assert.same('old resource version "v1alpha2" found in Kptfile',
      fails("apiVersion: kpt.dev/v1alpha2\nkind: Kptfile\n"))
    assert.same('unknown resource type "/v1, Kind=Pod" found in Kptfile',
      fails("apiVersion: v1\nkind: Pod\n"))
    assert.same('unknown resource type "kpt.dev/v2, Kind=Kptfile" found in Kptfile',
      fails("apiVersion: kpt.dev/v2\nkind: Kptfile\n"))
  end)

  it("gives the errors of many fields in time", function()
    local lines = {}
    for i = 1, 20000 do
      lines[i] = "x" .. i .. ": 1\n"
    end
    local start = os.clock()
    assert.matches("line 20004: field x20000 not found", fails(HEAD .. table.concat(lines)), 1,
      true)
    assert.is_true(os.clock() - start < 2)
  end)
end)

describe("writing a Kptfile", function()
  it("has kpt's order, wide lists, sorted maps and no comments", function()
    assert.same(HEAD .. "  annotations:\n    a2: \"true\"\n    a10: b\npipeline:\n  mutators:\n"
      .. "    - image: i\n      configMap:\n        k: \"1\"\n        \"y\": \"yes\"\n",
      (merge.encode("# c\npipeline:\n  mutators:\n  - configMap: {y: 'yes', k: 1}\n"
        .. "    image: i # d\n" .. HEAD .. "  annotations: {a10: b, a2: true}\n")))
  end)

  it("can be compact", function()
    local text = HEAD .. "info:\n  keywords:\n  - a\n"
    assert.same(text, (merge.encode(text, true)))
  end)

  it("leaves out what is empty, but no struct that is there", function()
    assert.same(HEAD .. "info: {}\npipeline: {}\n",
      (merge.encode(HEAD .. "info: {site: '', emails: []}\npipeline: {}\nstatus:\n")))
  end)

  it("keeps values of results as text", function()
    local text = HEAD .. "status:\n  renderStatus:\n    mutationSteps:\n      - image: i\n"
      .. "        exitCode: 0\n        results:\n          - field:\n              path: a\n"
      .. "              currentValue: \"1\"\n"
    assert.same(text, (merge.encode((text:gsub('"1"', "1")))))
  end)
end)

describe("checking a pipeline", function()
  local function reason(functions, files)
    local ok, err = merge.kptfile_check(HEAD .. "pipeline:\n  mutators:\n" .. functions, files)
    return ok or err.message:match("Reason: (.-)\n$"), not ok and err.message or nil
  end

  it("wants one of image and exec", function()
    assert.same("must specify a functon (`image` or `exec`) to execute", (reason("  - name: x\n")))
    assert.same("must not specify both `image` and `exec` at the same time",
      (reason("  - image: i\n    exec: e\n")))
  end)

  it("says which function and field", function()
    local _, text = reason("  - image: a\n  - image: B@x\n")
    assert.same('invalid pipeline: function "B@x": Kptfile is invalid:\n'
      .. "Field: `pipeline.mutators[1].image`\nValue: \"B@x\"\n"
      .. 'Reason: function image reference "B@x" is invalid: invalid reference format\n', text)
  end)

  it("knows image references", function()
    local digest = "@sha256:" .. ("a"):rep(64)
    for _, image in ipairs { "a", "a/b", "a.b/c_d/e-f:v1.2", "localhost:5000/x:t", "a__b", "a---b",
      "x" .. digest, "gcr.io/x/y:v1" .. digest, "Host/x", "[::1]:80/x" } do
      assert.is_true(reason("  - image: '" .. image .. "'\n"), image)
    end
    for _, image in ipairs { "a//b", "a:", "a@sha256:12", "-a", "a_", "a..b", "a:t:u", "/a", "a/B@",
      "patch@_@strategic-merge", "a b", "[1]/x/" } do
      assert.matches("invalid reference format", reason("  - image: '" .. image .. "'\n"), image)
    end
    assert.matches("repository name must be lowercase", (reason("  - image: ABC\n")), 1, true)
  end)

  it("looks into files of functionConfigs", function()
    local f = "  - image: i\n    configPath: "
    local config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    assert.same("path must be relative", (reason(f .. "/x\n")))
    assert.same("path must not be outside the package", (reason(f .. "a/../../x\n")))
    assert.same("path must not be empty", (reason(f .. "'  '\n")))
    assert.is_true(reason(f .. "a/../x.yaml\n", { ["x.yaml"] = config }))
    assert.matches("^failed to open functionConfig from path \"x.yaml\"", (reason(f .. "x.yaml\n",
      {})))
    assert.same('functionConfig "x" must not contain more than one config, got 2',
      (reason(f .. "x\n", { x = config .. "---\n" .. config })))
    assert.same('functionConfig "x": resource must have `kind`',
      (reason(f .. "x\n", { x = "apiVersion: v1\n" })))
    assert.same("functionConfig must not specify both `configMap` and `configPath` at the same "
      .. "time", (reason(f .. "x\n    configMap: {a: b}\n")))
  end)
end)
