-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.lua.support")

local KPTFILE = [[
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: upstream
info:
  description: a database
pipeline:
  mutators:
    - image: set-labels:v1
]]

local CONFIG = [[
# Keep this comment.
apiVersion: v1
kind: ConfigMap
metadata:
  name: config   # odd   spacing

data: {a:   "1"}
]]

describe("lanai pkg get", function()
  local dir, url, commit

  before_each(function()
    dir = support.directory()
    commit = support.commit(dir .. "/up", { ["db/Kptfile"] = KPTFILE, ["db/config.yaml"] = CONFIG,
      ["db/run.sh"] = "#!/bin/sh\n", ["db/sub/Kptfile"] = KPTFILE:gsub("upstream", "sub"),
      ["other.txt"] = "x" }, "db/v1")
    url = "file://" .. dir .. "/up.git"
  end)

  after_each(support.clean)

  it("fetches a directory at the package's tag and says what it does as kpt does", function()
    local code, out, err = support.lanai(dir, "pkg get " .. url .. "/db@v1")
    assert.equal("", out)
    assert.equal(('Package "db":\nFetching file://%s/up@v1\nAdding package "db".\n\n'
      .. "Fetched 1 package(s).\n"):format(dir), err)
    assert.equal(0, code)
    local files = support.tree(dir .. "/db")
    assert.equal("#!/bin/sh\n", files["run.sh"])
    assert.is_nil(files["other.txt"])
    assert.equal(([[
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: db
upstream:
  type: git
  git:
    repo: file://%s/up
    directory: /db
    ref: v1
  updateStrategy: resource-merge
upstreamLock:
  type: git
  git:
    repo: file://%s/up
    directory: /db
    ref: db/v1
    commit: %s
info:
  description: a database
pipeline:
  mutators:
    - image: set-labels:v1
]]):format(dir, dir, commit), files.Kptfile)
    assert.equal(KPTFILE:gsub("upstream", "sub"), files["sub/Kptfile"])
  end)

  it("stamps resources and leaves every other byte as it was", function()
    assert.equal(0, support.lanai(dir, "pkg get " .. url .. "/db"))
    local stamped = CONFIG:gsub("metadata:\n", "metadata: # kpt-merge: /config\n")
    stamped = stamped:gsub("odd   spacing\n", "%0  annotations:\n"
      .. "    internal.kpt.dev/upstream-identifier: '|ConfigMap|default|config'\n")
    assert.equal(stamped, support.read(dir .. "/db/config.yaml"))
  end)

  it("writes resources anew in kpt mode", function()
    assert.equal(0, support.lanai(dir, "pkg get --compat kpt " .. url .. "/db"))
    assert.matches("\ndata: {a: \"1\"}\n", support.read(dir .. "/db/config.yaml"))
    assert.matches("name: config # odd   spacing\n", support.read(dir .. "/db/config.yaml"))
  end)

  it("takes a version and a name, and any way to write a commit", function()
    support.commit(dir .. "/up", { ["db/Kptfile"] = KPTFILE }, "v2")
    for i, ref in ipairs { commit, commit:sub(1, 8), "db/v1", "refs/tags/db/v1" } do
      local code, _, err = support.lanai(dir, ("pkg get %s/db@%s p%d"):format(url, ref, i))
      assert.equal(0, code, err)
      assert.is_string(support.read(dir .. "/p" .. i .. "/config.yaml"))
    end
    assert.equal(0, support.lanai(dir, "pkg get " .. url .. "/db p"))
    assert.is_nil(support.read(dir .. "/p/config.yaml"))
    assert.matches("ref: main\n", support.read(dir .. "/p/Kptfile"))
  end)

  it("fetches packages inside that only name their upstream", function()
    support.commit(dir .. "/more", { ["x.txt"] = "x" }, "v1")
    support.commit(dir .. "/up", { Kptfile = KPTFILE, ["in/Kptfile"] = [[
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: in
upstream:
  type: git
  git:
    repo: file://]] .. dir .. "/more\n    directory: /\n    ref: v1\n" })
    local code, _, err = support.lanai(dir, "pkg get " .. url .. " all")
    assert.equal(0, code, err)
    assert.matches('\nPackage "all/in":\nFetching file://[^\n]*/more@v1\n', err)
    assert.matches("\nFetched 2 package%(s%).\n", err)
    assert.equal("x", support.read(dir .. "/all/in/x.txt"))
    assert.matches("\nupstreamLock:\n", support.read(dir .. "/all/in/Kptfile"))
  end)

  it("leaves symbolic links out, wherever they lead", function()
    support.shell("ln -s /etc/passwd " .. dir .. "/up/db/link && ln -s .. " .. dir .. "/up/db/up")
    support.git(dir .. "/up", "add -A")
    support.git(dir .. "/up", "commit -q -m l")
    local code, _, err = support.lanai(dir, "pkg get " .. url .. "/db")
    assert.equal(0, code)
    assert.matches('%[Warn%] Ignoring symlink "link" \n', err)
    assert.is_nil(support.read(dir .. "/db/link"))
    assert.is_nil(support.read(dir .. "/db/up/other.txt"))
  end)

  it("makes nothing when it fails", function()
    local failures = {
      ["/db@nope"] = 'Error: Unknown ref "nope"',
      ["/nodir@main"] = 'Error: path "/nodir" does not exist in repo',
      ["/db@-v1"] = "Error: invalid git ref \"-v1\": must not begin with '-'",
      ["/db@--upload-pack=touch"] = "must not begin with '-'",
    }
    for argument, text in pairs(failures) do
      local code, out, err = support.lanai(dir, "pkg get " .. url .. argument .. " new")
      assert.equal(1, code)
      assert.equal("", out)
      assert.is_truthy(err:find(text, 1, true), err)
      assert.equal(2, select(2, support.shell("test -e " .. dir .. "/new || exit 2")))
    end
    assert.equal(1, support.lanai(dir, "pkg get file:///nonexistent/r.git new"))
  end)

  it("refuses places that are taken or not there", function()
    support.write(dir, { ["db/x"] = "", file = "" })
    local function says(words, text)
      local code, _, err = support.lanai(dir, "pkg get " .. words)
      assert.equal(1, code)
      assert.equal(text, err)
    end
    says(url .. "/db", 'Error: destination directory "db" already exists \n')
    says(url .. "/db no/where", 'Error: parent directory "no" does not exist \n')
    says(url .. "/db file", "Error: LOCAL_PKG_DEST must be a directory \n")
    says("", "error: requires at least 1 arg(s), only received 0\n")
    says("--strategy x " .. url, 'error: unknown update strategy "x"\n')
    says("--what " .. url, "error: unknown flag: --what\n")
  end)

  it("writes the context of a deployment", function()
    support.commit(dir .. "/up", { Kptfile = KPTFILE, ["package-context.yaml"] = "apiVersion: v1\n"
      .. "kind: ConfigMap\nmetadata:\n  name: kptfile.kpt.dev\ndata:\n  name: example\n" })
    local code, _, err = support.lanai(dir, "pkg get --for-deployment " .. url .. " dep")
    assert.equal(0, code, err)
    assert.matches("\ndata:\n  name: dep\n", support.read(dir .. "/dep/package-context.yaml"))
  end)
end)
