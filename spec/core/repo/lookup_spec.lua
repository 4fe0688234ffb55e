-- SPDX-License-Identifier: Apache-2.0
-- core/repo/lookup.c: what a clone's ref and directory stand for.
local probe = require("probe_repo")
local s = require("spec.core.repo.support")

describe("repo lookup", function()
  local remote, repo, first, second, pool

  before_each(function()
    remote = s.bare({ empty = true })
    first = s.commit(remote, "trunk", { ["pkg/Kptfile"] = s.KPTFILE, ["README.md"] = "r\n" }, "a")
    s.git(remote, "tag pkg/v1 " .. first)
    s.git(remote, "tag -a -m note noted " .. first)
    s.git(remote, "tag -a -m twice twice noted")
    second = s.commit(remote, "trunk", { ["pkg/x.yaml"] = "a: b\n" }, "b")
    s.commit(remote, "-dash", { ["f"] = "f\n" }, "c")
    pool = assert(probe.open(s.tmp()))
    repo = assert(pool:repo { namespace = "ns", url = "file://" .. remote, branch = "nowhere",
      any_branch = true })
    assert(repo:fetch())
  end)

  after_each(function()
    repo:close()
    pool:close()
    s.clean()
  end)

  it("finds branches and tags by their full names, through tag objects", function()
    assert.equal(second, repo:commit_of("refs/heads/trunk"))
    for _, tag in ipairs { "pkg/v1", "noted", "twice" } do
      assert.equal(first, repo:commit_of("refs/tags/" .. tag), tag)
    end
    assert.equal(s.line(s.git(remote, "rev-parse refs/heads/-dash")),
      repo:commit_of("refs/heads/-dash"))
  end)

  it("goes on fetching from a repository with tags of trees", function()
    local function make(n)
      local commit = s.commit(remote, "trunk", { ["f" .. n] = "x" .. n .. "\n" }, "n")
      local loose = s.commit(remote, "away", { ["only" .. n] = "o" .. n .. "\n" }, "n")
      s.git(remote, ("tag tree%d %s^{tree} && git -C %s update-ref -d refs/heads/away"):format(n,
        loose, s.quote(remote)))
      s.git(remote, ("tag -a -m m noted-tree%d tree%d"):format(n, n))
      return commit
    end
    for n = 1, 3 do
      local commit = make(n)
      local ok, err = repo:fetch()
      assert(ok, err and err.message)
      assert.equal(commit, repo:commit_of("refs/heads/trunk"))
      assert.is_nil(repo:commit_of("refs/tags/noted-tree" .. n))
      s.git(repo:mirror(), ("cat-file -e tree%d:only%d"):format(n, n))
    end
  end)

  it("finds commits by their ids and what they begin with", function()
    assert.equal(first, repo:commit_of(first))
    assert.equal(second, repo:commit_of(second))
    assert.equal(first, repo:commit_of(first:sub(1, 12)))
  end)

  it("finds nothing by other names", function()
    s.git(remote, "tag tree " .. first .. "^{tree}")
    assert(repo:fetch())
    local blob = s.line(s.git(remote, "rev-parse trunk:README.md"))
    for _, name in ipairs { "", "trunk", "noted", "refs/heads/none", "refs/heads/",
      "refs/tags/tree", first:sub(1, 3), first .. "0",
      (first:upper():gsub("%d", "A")), blob, ("0"):rep(40), "-dash",
      "--upload-pack=x", "HEAD~1", "refs/heads/trunk^", "../config" } do
      local found, err = repo:commit_of(name)
      assert.is_nil(found, name)
      assert.is_nil(err, name)
    end
  end)

  it("takes no abbreviation that more than one object begins with", function()
    local work = s.tmp()
    local stream = {}
    for i = 1, 1500 do
      stream[i] = ("commit refs/heads/many\ncommitter a <a@b> %d +0000\ndata 2\nm\n"):format(i)
    end
    s.write(work .. "/stream", table.concat(stream))
    s.git(remote, "fast-import --quiet < " .. s.quote(work .. "/stream"))
    assert(repo:fetch())
    local counts, twin, alone = {}, nil, nil
    local ids = s.git(remote, "cat-file --batch-all-objects --batch-check='%(objectname)'")
    for id in ids:gmatch("%x+") do
      counts[id:sub(1, 4)] = (counts[id:sub(1, 4)] or 0) + 1
    end
    for id in s.git(remote, "rev-list many"):gmatch("%x+") do
      if counts[id:sub(1, 4)] == 1 then
        alone = id
      else
        twin = id
      end
    end
    assert.equal(alone, repo:commit_of(alone:sub(1, 4)))
    assert.is_nil(repo:commit_of(twin:sub(1, 4)))
    assert.equal(twin, repo:commit_of(twin:sub(1, 16)))
  end)

  it("finds directories of a commit, with or without slashes around", function()
    local tree = s.line(s.git(remote, "rev-parse trunk:pkg"))
    for _, directory in ipairs { "pkg", "/pkg", "pkg/", "/pkg/" } do
      assert.equal(tree, repo:directory_of(second, directory), directory)
    end
    for _, directory in ipairs { "", "/" } do
      assert.equal(s.line(s.git(remote, "rev-parse trunk^{tree}")),
        repo:directory_of(second, directory))
    end
  end)

  it("finds no directory in a file, a missing one or one above", function()
    for _, directory in ipairs { "README.md", "none", "pkg/none", "pkg/Kptfile/x", "..", "pkg/..",
      "." } do
      local found, err = repo:directory_of(second, directory)
      assert.is_nil(found, directory)
      assert.is_nil(err, directory)
    end
  end)
end)
