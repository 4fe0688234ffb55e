-- SPDX-License-Identifier: Apache-2.0

local functions = require("spec.lua.fn.functions")

local SOURCE = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: src\ndata:\n  text: abc # t\n"
  .. "  int: 81\n  quoted: \"80\"\n  image: r/app:v2\n  list:\n  - a # first\n  - b\n"
local TARGET = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: dst\n  labels:\n"
  .. "    app: x\n"

-- The body of the target behind its head, and the answer.
local function apply(body, replacements, opts)
  local answer = functions.run("apply-replacements",
    { ["s.yaml"] = SOURCE, ["t.yaml"] = TARGET .. body },
    "apiVersion: fn.kpt.dev/v1alpha1\nkind: ApplyReplacements\nreplacements:\n" .. replacements,
    opts)
  local text = answer.files["t.yaml"] or ""
  return text:sub(#TARGET + 1), answer
end

local function from(field, paths, options)
  return ("- source: {kind: ConfigMap, name: src, fieldPath: data.%s}\n"):format(field)
    .. ("  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [%s]\n"):format(paths)
    .. (options and ("    options: {%s}\n"):format(options) or "")
end

local function message(replacements, opts)
  local _, answer = apply("spec: {}\n", replacements, opts)
  assert.is_false(answer.ok)
  assert.equal("error", answer.results[1].severity)
  return answer.results[1].message
end

describe("apply-replacements", function()
  it("copies texts: what was a string stays one, comments stay", function()
    assert.equal("spec:\n  a: \"81\" # a\n  b: '81'\n  c: 81\n  d: 81\n",
      (apply("spec:\n  a: foo # a\n  b: 'x'\n  c: 4\n  d: true\n",
        from("int", "spec.a, spec.b, spec.c, spec.d"))))
    assert.equal("spec:\n  c: abc\n", (apply("spec:\n  c: 4\n", from("text", "spec.c"))))
  end)

  it("copies lists with their comments", function()
    assert.equal("spec:\n  l:\n  - a # first\n  - b\n",
      (apply("spec:\n  l: [z]\n", from("list", "spec.l"))))
  end)

  it("selects elements by expressions, numbers and stars", function()
    local body = "spec:\n- name: web\n  v: 0\n- name: web-2\n  v: 0\n- name: db\n  v: 0\n"
    local function set(path)
      local text = apply(body, from("int", path))
      return (text:gsub("[^\n]*name[^\n]*\n", ""):gsub("%s*v: (%d+)", " %1"):gsub("spec:", ""))
    end
    assert.equal(" 81 81 0\n", set("'spec.[name=web].v'"))
    assert.equal(" 81 0 0\n", set("'spec.[name=^web$].v'"))
    assert.equal(" 81 81 81\n", set("'spec.*.v'"))
    assert.equal(" 0 0 81\n", set("spec.2.v"))
  end)

  it("replaces a part between delimiters", function()
    local options = "delimiter: ':', index: "
    local function set(index)
      return (apply("spec: r:1\n", from("text", "spec", options .. index)))
    end
    assert.equal("spec: r:abc\n", set(1))
    assert.equal("spec: abc:r:1\n", set(-1))
    assert.equal("spec: r:1:abc\n", set(5))
  end)

  it("makes what is missing when asked", function()
    assert.equal("spec:\n  x: 1\n  t:\n  - name: web\n    v: abc\n",
      (apply("spec:\n  x: 1\n", from("text", "'spec.t.[name=web].v'", "create: true"))))
    assert.equal('unable to find field "spec.x" in replacement target', message(from("text",
      "spec.x")))
  end)

  it("goes on inside of texts that are JSON or YAML", function()
    local paths = "data.j.a.b, data.y.k"
    assert.equal("data:\n  j: '{\"a\":{\"b\":\"abc\"},\"z\":1}'\n  y: |-\n    k: abc # c\n",
      (apply("data:\n  j: '{\"z\": 1, \"a\": {\"b\": 2}}'\n  y: |\n    k: 1 # c\n",
        from("text", paths))))
    local _, old = apply("data:\n  y: 'k: 1'\n", from("text", "data.y.k"), { version = "v0.1.1" })
    assert.is_false(old.ok)
  end)

  it("selects and rejects resources", function()
    local function selected(select, reject, opts)
      local text = apply("spec: 0\n",
        "- source: {kind: ConfigMap, name: src, fieldPath: data.int}\n"
        .. "  targets:\n  - select: {" .. select .. "}\n    fieldPaths: [spec]\n"
        .. (reject and "    reject: [{" .. reject .. "}]\n" or ""), opts)
      return text == "spec: 81\n"
    end
    assert.is_true(selected("kind: Deploy.*"))
    assert.is_false(selected("kind: Deploy"))
    assert.is_false(selected("kind: Deploy.*", nil, { version = "v0.1.1" }))
    assert.is_true(selected("group: apps, version: v1, name: dst"))
    assert.is_true(selected("kind: Deployment, labelSelector: 'app in (x, y)'"))
    assert.is_false(selected("kind: Deployment, labelSelector: 'app!=x'"))
    assert.is_false(selected("kind: Deployment", "name: ds."))
    assert.is_false(selected("kind: Deployment", "labelSelector: app=x"))
    assert.is_true(selected("kind: Deployment", "labelSelector: app=y"))
  end)

  it("says what is wrong", function()
    assert.equal("replacements must specify a source and at least one target",
      message("- source: {kind: X}\n"))
    assert.equal("nothing selected by X.[noVer].[noGrp]/[noName].[noNs]:data.a",
      message("- source: {kind: X, fieldPath: data.a}\n  targets: []\n"))
    assert.equal("multiple matches for selector [noKind].[noVer].[noGrp]/[noName].[noNs]",
      message("- source: {}\n  targets: []\n"))
    assert.equal("fieldPath `data.x` is missing for replacement source "
      .. "ConfigMap.[noVer].[noGrp]/src.[noNs]", message(from("x", "spec")))
    assert.equal("target must specify resources to select",
      message("- source: {name: src}\n  targets: [{}]\n"))
    assert.equal('unable to convert functionConfig to replacements:\njson: unknown field "sorce"',
      message("- sorce: {}\n"))
    assert.equal("value and resource selectors are mutually exclusive",
      message("- source: {name: src}\n  sourceValue: x\n  targets: []\n"))
  end)

  it("needs its own kind of configuration", function()
    local answer = functions.run("apply-replacements", { ["s.yaml"] = SOURCE })
    assert.equal("FunctionConfig is missing. Expect `ApplyReplacements`",
      answer.results[1].message)
    answer = functions.run("apply-replacements", { ["s.yaml"] = SOURCE },
      "apiVersion: v1\nkind: ConfigMap\n")
    assert.equal("received functionConfig of kind ConfigMap and apiVersion v1, only "
      .. "functionConfig of kind ApplyReplacements and apiVersion fn.kpt.dev/v1alpha1 is supported",
      answer.results[1].message)
  end)
end)
