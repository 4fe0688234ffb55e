-- SPDX-License-Identifier: Apache-2.0
-- core/repo/{content,tree,odb_store}.c: trees made of files and files read from trees.
local probe = require("probe_repo")
local s = require("spec.core.repo.support")

describe("repo content", function()
  local pool

  before_each(function()
    pool = assert(probe.open(s.tmp()))
  end)

  after_each(function()
    pool:close()
    s.clean()
  end)

  it("makes the tree that git makes", function()
    local files = {
      { path = "b.txt", bytes = "b" }, { path = "b/x", bytes = "x" },
      { path = "b-c", bytes = "" }, { path = "b/y/z", bytes = "\0\1" },
      { path = "run", bytes = "#!", mode = tonumber("100755", 8) },
      { path = "link", bytes = "b.txt", mode = tonumber("120000", 8) },
    }
    local tree = assert(pool:make(nil, files))
    local dir = s.tmp()
    s.git(dir, "init -q .")
    s.sh("cd " .. dir .. " && mkdir -p b/y && printf b >b.txt && printf x >b/x && : >b-c && "
      .. "printf '\\0\\1' >b/y/z && printf '#!' >run && chmod +x run && ln -s b.txt link")
    s.git(dir, "add -A")
    assert.equal(s.line(s.git(dir, "write-tree")), tree)
    local paths = {}
    for i, f in ipairs(assert(pool:list(nil, tree))) do
      paths[i] = f.path .. " " .. ("%o"):format(f.mode)
    end
    assert.same({ "b-c 100644", "b.txt 100644", "b/x 100644", "b/y/z 100644", "link 120000",
      "run 100755" }, paths)
    assert.equal("\0\1", pool:blob(nil, pool:list(nil, tree)[4].blob))
    assert.equal("", pool:blob(nil, pool:list(nil, tree)[1].blob))
    assert.equal(tree, pool:make(nil, pool:list(nil, tree)))
    assert.equal("4b825dc642cb6eb9a060e54bf8d69288fbee4904", assert(pool:make(nil, {})))
  end)

  it("refuses files that cannot be together or cannot be at all", function()
    local function refused(files)
      local tree, err = pool:make(nil, files)
      assert.is_nil(tree)
      assert.equal("invalid", err.kind)
      return err.message
    end
    refused({ { path = "../x", bytes = "" } })
    refused({ { path = ".git/config", bytes = "" } })
    refused({ { path = "a", bytes = "", mode = tonumber("160000", 8) } })
    assert.matches("twice", refused({ { path = "a", bytes = "1" }, { path = "a", bytes = "2" } }))
    assert.matches("both a file and a directory",
      refused({ { path = "a", bytes = "1" }, { path = "a-", bytes = "" },
        { path = "a/b", bytes = "2" } }))
  end)

  it("says so when content is gone", function()
    local nowhere = ("a"):rep(40)
    local _, err = pool:make(nil, { { path = "x", blob = nowhere } })
    assert.matches("content a+ of file \"x\" is gone", err.message)
    _, err = pool:blob(nil, nowhere)
    assert.equal("not-found", err.kind)
    _, err = pool:list(nil, nowhere)
    assert.equal("not-found", err.kind)
  end)

  it("brings kept files along from another repository", function()
    local up, down = s.bare(), s.bare()
    s.commit(up, "main", { ["pkg/Kptfile"] = s.KPTFILE, ["pkg/a"] = "from upstream\n" }, "pkg")
    local from = assert(pool:repo({ url = up }))
    local to = assert(pool:repo({ url = down }))
    assert(from:fetch())
    assert(to:fetch())
    local tree = from:discover()[1].tree
    local files = assert(pool:list(from, tree))
    assert.equal(tree, assert(pool:make(to, files, from)))
    assert.same(files, assert(pool:list(to, tree)))
    assert.same(files, assert(pool:list(nil, tree)))
    assert.is_nil(to:push({ s.publish("pkg", 1, tree) })[1].err)
    assert.equal("from upstream\n", s.git(down, "show main:pkg/a"))
    s.fsck(down)
    s.fsck(to:mirror())
  end)

  it("reads drafts through a repository's handle and keeps them out of its mirror", function()
    local dir = s.bare()
    local repo = assert(pool:repo({ url = dir }))
    assert(repo:fetch())
    local tree = s.package(pool, { a = "draft" }, repo)
    assert.equal(2, #assert(pool:list(repo, tree)))
    assert.has_error(function()
      s.git(repo:mirror(), "cat-file -e " .. tree)
    end)
    repo:push({ s.publish("pkg", 1, tree) })
    s.git(repo:mirror(), "cat-file -e " .. tree)
  end)
end)
