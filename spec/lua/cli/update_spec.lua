-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.lua.support")

local KPTFILE = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: app\n"

local function config(values)
  return "# About  this.\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n" .. values
end

describe("lanai pkg update", function()
  local dir, up

  before_each(function()
    dir = support.directory()
    up = dir .. "/up"
    support.commit(up, { Kptfile = KPTFILE, ["c.yaml"] = config("  a: \"1\"\n  b: \"1\"\n"),
      ["gone.txt"] = "x", ["text.txt"] = "one" }, "v1")
    assert.equal(0, support.lanai(dir, "pkg get file://" .. up .. ".git@v1 app"))
  end)

  after_each(support.clean)

  local function upstream(files, tag)
    files.Kptfile = files.Kptfile or KPTFILE
    return support.commit(up, files, tag)
  end

  local function change(path, from, to)
    local text, n = support.read(dir .. "/app/" .. path):gsub(from, to)
    assert.equal(1, n)
    support.write(dir, { ["app/" .. path] = text })
  end

  it("merges both sides and lists where both had a say", function()
    change("c.yaml", 'b: "1"', 'b: "ours"')
    upstream({ ["c.yaml"] = config("  a: \"2\"\n  b: \"theirs\"\n  n: \"3\"\n"),
      ["text.txt"] = "two" }, "v2")
    local code, out, err = support.lanai(dir, "pkg update app@v2")
    assert.equal(0, code, err)
    assert.equal("", out)
    local text = support.read(dir .. "/app/c.yaml")
    assert.matches('^# About  this%.\n', text)
    assert.matches('\ndata:\n  a: "2"\n  b: "theirs"\n  n: "3"\n$', text)
    assert.equal("two", support.read(dir .. "/app/text.txt"))
    assert.is_nil(support.read(dir .. "/app/gone.txt"))
    assert.matches("\n    ref: v2\n", support.read(dir .. "/app/Kptfile"))
    assert.matches('Updating package "app" with strategy "resource%-merge"%.\n', err)
    assert.matches("\nUpdated 1 package%(s%)%.\n", err)
    assert.matches("  c%.yaml: ConfigMap c: data%.b: upstream taken", err)
    assert.matches("was: 1, local: ours, upstream: theirs\n", err)
  end)

  it("writes the report to a file instead", function()
    change("c.yaml", 'b: "1"', 'b: "ours"')
    upstream({ ["c.yaml"] = config("  a: \"1\"\n  b: \"theirs\"\n") }, "v2")
    local code, _, err = support.lanai(dir, "pkg update app@v2 --report report.yaml")
    assert.equal(0, code, err)
    assert.is_nil(err:find("both had a say", 1, true))
    local report = support.read(dir .. "/report.yaml")
    assert.matches("^conflicts:\n", report)
    assert.matches("\n  path: data%.b\n  base: \"1\"\n  ours: ours\n  theirs: theirs\n", report)
  end)

  it("keeps files without resources that both sides changed, and says so", function()
    change("text.txt", "one", "ours")
    change("gone.txt", "x", "ours")
    upstream({ ["c.yaml"] = config("  a: \"1\"\n  b: \"1\"\n"), ["text.txt"] = "two" }, "v2")
    local code, _, err = support.lanai(dir, "pkg update app@v2")
    assert.equal(0, code)
    assert.equal("ours", support.read(dir .. "/app/text.txt"))
    assert.equal("ours", support.read(dir .. "/app/gone.txt"))
    assert.matches("\n  text.txt: local kept %(both changed it%)\n", err)
    assert.matches("\n  gone.txt: local kept %(changed here, deleted upstream%)\n", err)
  end)

  it("changes nothing the second time", function()
    change("c.yaml", 'b: "1"', 'b: "ours"')
    upstream({ ["c.yaml"] = config("  a: \"2\"\n  b: \"1\"\n") }, "v2")
    assert.equal(0, support.lanai(dir, "pkg update app@v2"))
    local first = support.tree(dir .. "/app")
    local code, _, err = support.lanai(dir, "pkg update app")
    assert.equal(0, code)
    assert.same(first, support.tree(dir .. "/app"))
    assert.is_nil(err:find("both had a say", 1, true))
  end)

  it("fast-forwards only what was not changed, and then changes nothing at all", function()
    upstream({ ["c.yaml"] = config("  a: \"2\"\n") }, "v2")
    change("text.txt", "one", "ours")
    local before = support.tree(dir .. "/app")
    local code, _, err = support.lanai(dir, "pkg update app@v2 --strategy fast-forward")
    assert.equal(1, code)
    assert.matches("Error: local package files have been modified: %[text%.txt%]%.\n"
      .. "  use a different update %-%-strategy%. \n", err)
    assert.same(before, support.tree(dir .. "/app"))
    support.write(dir, { ["app/text.txt"] = "one" })
    assert.equal(0, support.lanai(dir, "pkg update app@v2 --strategy fast-forward"))
    assert.is_nil(support.read(dir .. "/app/text.txt"))
    assert.matches("updateStrategy: fast%-forward", support.read(dir .. "/app/Kptfile"))
  end)

  it("keeps to the strategy of the Kptfile, which kpt does not", function()
    change("Kptfile", "resource%-merge", "force-delete-replace")
    change("text.txt", "one", "ours")
    upstream({ ["text.txt"] = "two" }, "v2")
    assert.equal(0, support.lanai(dir, "pkg update app@v2"))
    assert.equal("two", support.read(dir .. "/app/text.txt"))
    assert.equal(0, support.lanai(dir, "pkg update app --compat kpt"))
    assert.matches("updateStrategy: resource%-merge", support.read(dir .. "/app/Kptfile"))
  end)

  it("replaces everything by force, and copies over without taking away", function()
    change("text.txt", "one", "ours")
    support.write(dir, { ["app/mine.txt"] = "m" })
    upstream({ ["text.txt"] = "two" }, "v2")
    local code, _, err = support.lanai(dir, "pkg update app@v2 --strategy copy-merge")
    assert.equal(0, code)
    assert.matches("\n  text.txt: upstream taken %(by strategy copy%-merge%)\n", err)
    assert.equal("two", support.read(dir .. "/app/text.txt"))
    assert.equal("m", support.read(dir .. "/app/mine.txt"))
    assert.is_nil(support.read(dir .. "/app/gone.txt"))
    _, _, err = support.lanai(dir, "pkg update app@v2 --strategy force-delete-replace")
    assert.is_nil(support.read(dir .. "/app/mine.txt"))
    assert.matches("\n  mine.txt: deleted %(by strategy force%-delete%-replace%)\n", err)
  end)

  it("follows packages inside as the table of both sides says", function()
    local sub = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: s\n"
    upstream({ ["a/Kptfile"] = sub, ["b/Kptfile"] = sub, ["b/x"] = "1", ["c/Kptfile"] = sub }, "v2")
    assert.equal(0, support.lanai(dir, "pkg update app@v2"))
    assert.equal("1", support.read(dir .. "/app/b/x"))
    support.shell("rm -r " .. dir .. "/app/a")
    change("b/x", "1", "ours")
    upstream({ ["a/Kptfile"] = sub, ["a/new"] = "n" }, "v3")
    assert.equal(0, support.lanai(dir, "pkg update app@v3"))
    assert.is_nil(support.read(dir .. "/app/a/new"))    -- deleted here: stays so
    assert.equal("ours", support.read(dir .. "/app/b/x")) -- changed here: stays
    assert.is_nil(support.read(dir .. "/app/c/Kptfile")) -- deleted there, unchanged here
    support.write(dir, { ["app/d/Kptfile"] = sub })
    upstream({ ["d/Kptfile"] = sub }, "v4")
    local code, _, err = support.lanai(dir, "pkg update app@v4")
    assert.equal(1, code)
    assert.matches('subpackage "d" added in both upstream and local', err)
  end)

  it("writes through no symbolic link", function()
    support.shell(("cd %s && rm app/text.txt && ln -s ../outside app/text.txt && echo o > outside")
      :format(dir))
    upstream({ ["text.txt"] = "two", ["c.yaml"] = config("  a: \"1\"\n  b: \"1\"\n"),
      ["gone.txt"] = "x" }, "v2")
    support.lanai(dir, "pkg update app@v2 --strategy force-delete-replace")
    assert.equal("o\n", support.read(dir .. "/outside"))
  end)

  it("refuses what is no package with an upstream", function()
    local function says(words, text)
      local code, _, err = support.lanai(dir, "pkg update " .. words)
      assert.equal(1, code)
      assert.equal(text, err)
    end
    says("up", "Error: package must have an upstream reference \n")
    says(".", ('Error: No Kptfile found at "%s". \n'):format(support.shell("cd " .. dir
      .. " && pwd -P"):gsub("\n", "")))
    says("app@a@b", "Error: at most 1 version permitted \n")
    says("app@-x", "Error: invalid git ref \"-x\": must not begin with '-' \n")
    says("/", "Error: package path must be under current working directory \n")
    says("nope", "error: lstat nope: no such file or directory\n")
    support.write(dir, { ["app/Kptfile"] = "apiVersion: kpt.dev/v1\nkind: Kptfile\n a: b\n" })
    local code, _, err = support.lanai(dir, "pkg update app")
    assert.equal(1, code)
    assert.matches("^Error: Kptfile at \"[^\"]*/app\" can't be read%.\n\nDetails:\n.*line 3", err)
  end)
end)
