-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.lua.support")

local KPTFILE = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: app\n"
local POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: n\nspec:\n"
  .. "  x:\n    - 1\n"

describe("the local verbs", function()
  local dir

  before_each(function()
    dir = support.directory()
    support.write(dir, { ["app/Kptfile"] = KPTFILE, ["app/pod.yaml"] = POD,
      ["app/README.md"] = "# app", ["app/deep/er/note.txt"] = "n", ["app/sub/Kptfile"] = KPTFILE,
      ["app/sub/two.yaml"] = "kind: B\nmetadata:\n  name: b\n---\n"
        .. "kind: A\nmetadata:\n  name: a\n" })
  end)

  after_each(support.clean)

  it("are listed, and explain themselves", function()
    local _, out = support.lanai(dir, "--help")
    assert.matches("\n  pkg +create, fetch", out)
    assert.matches("\n  fn +run functions", out)
    for _, verb in ipairs { "pkg init", "pkg get", "pkg update", "pkg diff", "pkg tree", "pkg cat",
      "fn source", "fn sink", "fn render", "fn eval", "fn new", "fn test", "fn doc" } do
      local code, text, err = support.lanai(dir, verb .. " --help")
      assert.equal(0, code, err)
      assert.matches("\nUsage:\n  lanai " .. verb, text)
      assert.matches("%-%-compat string", text)
    end
    assert.equal(1, support.lanai(dir, "pkg bogus"))
    assert.equal(1, support.lanai(dir, "pkg tree --compat gpt"))
    assert.equal(1, support.lanai(dir, "pkg tree", "LANAI_COMPAT=gpt"))
  end)

  it("init: makes a package's first files and leaves those that are there", function()
    local code, out, err = support.lanai(dir, "pkg init new/ --description 'a <b>' "
      .. "--keywords x,z --site s")
    assert.equal(0, code)
    assert.equal("", out)
    assert.equal("creating package directory new/\nwriting new/Kptfile\nwriting new/README.md\n"
      .. "writing new/package-context.yaml\n", err)
    assert.equal([[
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: new
  annotations:
    config.kubernetes.io/local-config: "true"
info:
  site: s
  description: a <b>
  keywords:
  - x
  - z
]], support.read(dir .. "/new/Kptfile"))
    assert.matches("\na &lt;b&gt;\n", support.read(dir .. "/new/README.md"))
    support.shell("rm " .. dir .. "/new/README.md")
    err = select(3, support.lanai(dir .. "/new", "pkg init"))
    assert.equal("writing README.md\n", err)
  end)

  it("tree: shows packages, resources and other files", function()
    local code, out = support.lanai(dir, "pkg tree app")
    assert.equal(0, code)
    assert.equal([[
Package "app"
├── [Kptfile]  Kptfile app
├── [pod.yaml]  Pod n/p
├── README.md
├── deep/er/note.txt
└── Package "sub"
    ├── [Kptfile]  Kptfile app
    ├── [two.yaml]  A a
    └── [two.yaml]  B b
]], out)
  end)

  it("cat: prints files in order of their fields", function()
    support.write(dir, { ["one/a.yaml"] = "spec: {}\nkind: Pod\n# c\napiVersion: v1\n",
      ["one/b.txt"] = "text" })
    local _, out = support.lanai(dir, "pkg cat one")
    assert.equal("# c\napiVersion: v1\nkind: Pod\nspec: {}\n---\ntext\n", out)
    out = select(2, support.lanai(dir, "pkg cat one/a.yaml --strip-comments --format=false"))
    assert.equal("spec: {}\nkind: Pod\napiVersion: v1\n", out)
    out = select(2, support.lanai(dir, "pkg cat one/a.yaml --annotate --format=false"))
    assert.matches("config.kubernetes.io/path: 'a.yaml'", out)
  end)

  it("diff: compares with upstream by a program", function()
    support.commit(dir .. "/up", { Kptfile = KPTFILE, ["pod.yaml"] = POD }, "v1")
    assert.equal(0, support.lanai(dir, "pkg get file://" .. dir .. "/up.git@v1 got"))
    local code, out = support.lanai(dir, "pkg diff got")
    assert.equal(0, code)
    assert.equal("", out)
    support.write(dir, { ["got/new.txt"] = "n" })
    out = select(2, support.lanai(dir, "pkg diff got"))
    assert.matches("Only in [^\n]*/got: new.txt\n$", out)
    support.commit(dir .. "/up", { Kptfile = KPTFILE, ["pod.yaml"] = POD:gsub("- 1", "- 2") }, "v2")
    out = select(2, support.lanai(dir, "pkg diff got@v2 --diff-tool-opts '-r -u'"))
    assert.matches("\n%-    %- 1\n%+    %- 2\n", out)
    out = select(2, support.lanai(dir, "pkg diff got@v2 --diff-type 3way --diff-tool echo"))
    assert.matches("/got remote%-v1 target%-v2\n$", out)
    local _, err
    code, _, err = support.lanai(dir, "pkg diff got --diff-type x")
    assert.equal(1, code)
    assert.equal("error: invalid diff-type 'x': supported diff-types are: local, remote, combined, "
      .. "3way\n", err)
    code, _, err = support.lanai(dir, "pkg diff got --diff-tool /no/such")
    assert.equal(1, code)
    assert.equal("error: diff-tool '/no/such' not found in the PATH\n", err)
  end)

  it("source and sink: give back what was read", function()
    support.write(dir, { ["app/.krmignore"] = "README.md\n", ["app/wide.json"] = "{\"a\": 1}\n" })
    local code, list, err = support.lanai(dir, "fn source app")
    assert.equal(0, code, err)
    assert.matches("^apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n", list)
    assert.matches("\n      internal.config.kubernetes.io/seqindent: 'wide'\n", list)
    support.write(dir, { list = list })
    assert.equal(0, support.lanai(dir, "fn sink out < list"))
    assert.equal(POD, support.read(dir .. "/out/pod.yaml"))
    assert.equal(KPTFILE, support.read(dir .. "/out/sub/Kptfile"))
    local _, out = support.lanai(dir, "fn source out -o unwrap")
    assert.is_nil(out:find("annotations", 1, true))
    code, _, err = support.lanai(dir, "fn sink out < list")
    assert.equal(1, code)
    assert.equal('error: directory "out" already exists, please delete the directory and '
      .. "retry\n", err)
  end)

  it("sink: refuses paths that lead out of the directory", function()
    for _, path in ipairs { "../x.yaml", "/tmp/x.yaml", "a/../../x.yaml" } do
      support.write(dir, { list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
        .. "items:\n- kind: A\n  metadata:\n    name: a\n    annotations:\n"
        .. "      config.kubernetes.io/path: " .. path .. "\n" })
      assert.equal(1, support.lanai(dir, "fn sink s/out < list"), path)
      assert.is_nil(support.read(dir .. "/x.yaml"))
      assert.is_nil(support.read(dir .. "/s/x.yaml"))
    end
  end)

  it("say where a file is broken", function()
    support.write(dir, { ["bad/a.yaml"] = "a: b\n---\nx: [1\ny: 2\n" })
    local code, _, err = support.lanai(dir, "fn source bad")
    assert.equal(1, code)
    assert.matches("a%.yaml", err)
    assert.matches("line %d", err)
  end)
end)
