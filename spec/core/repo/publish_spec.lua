-- SPDX-License-Identifier: Apache-2.0
-- core/repo/{plan,publish,push}.c: what a push does to the remote, over file:// and http.
local probe = require("probe_repo")
local s = require("spec.core.repo.support")

local MERGE = "Approving package revision %s/%d\n\n"
  .. 'kpt:{"package":"%s","workspaceName":"ws%d","revision":"%d"}\n'
local DRAFT = "Creating new empty revision\n\n\n"
  .. 'kpt:{"package":"%s","workspaceName":"ws%d","revision":"0",'
  .. '"task":{"type":"init","init":{"description":"a package"}}}\n'

describe("repo push", function()
  local pool

  before_each(function()
    pool = assert(probe.open(s.tmp()))
  end)

  after_each(function()
    pool:close()
    s.clean()
  end)

  local function http_url(dir)
    return "http://127.0.0.1:" .. s.http(s.dirname(dir)) .. "/remote.git"
  end

  local function file_url(dir)
    return "file://" .. dir
  end

  local function one(repo, op)
    local out, err = repo:push({ op })
    assert(out, err and err.message)
    return out[1]
  end

  for name, url_of in pairs({ ["file://"] = file_url, ["http://"] = http_url }) do
    describe("over " .. name, function()
      it("publishes as Porch does, byte for byte", function()
        local dir = s.bare()
        local first = s.refs(dir)["refs/heads/main"]
        local repo = assert(pool:repo({ url = url_of(dir) }))
        assert(repo:fetch())
        local tree = s.package(pool, { ["sub/a.yaml"] = "a: 1\n" })
        local out = one(repo, s.publish("pkg", 1, tree))
        assert.is_nil(out.err)
        local refs = s.refs(dir)
        assert.same({ ["refs/heads/main"] = out.commit, ["refs/tags/pkg/v1"] = out.commit }, refs)
        assert.equal(out.commit, out.head)
        assert.equal(MERGE:format("pkg", 1, "pkg", 1, 1), s.message(dir, out.commit))
        assert.equal(DRAFT:format("pkg", 1), s.message(dir, out.commit .. "^2"))
        assert.equal(first .. " " .. s.line(s.git(dir, "rev-parse main^2")),
          s.line(s.git(dir, "log -1 --format=%P main")))
        assert.equal(first, s.line(s.git(dir, "log -1 --format=%P main^2")))
        assert.equal("user <user> Package Orchestration Service <porch@kpt.dev> 1700000001",
          s.line(s.git(dir, "log -1 --format='%an <%ae> %cn <%ce> %ct' main^2")))
        assert.same({
          ["README.md"] = "100644",
          ["pkg/Kptfile"] = "100644",
          ["pkg/sub/a.yaml"] = "100644",
        }, s.files(dir, "main"))
        s.fsck(dir)
        s.fsck(repo:mirror())
      end)

      it("needs no fetch after a push and none when nothing changed", function()
        local dir = s.bare()
        local repo = assert(pool:repo({ url = url_of(dir) }))
        assert(repo:fetch())
        local out = one(repo, s.publish("pkg", 1, s.package(pool)))
        local state = assert(repo:state())
        assert.equal(out.head, state.head)
        assert.same(state, assert(repo:fetch()))
        assert.same(s.refs(dir), s.refs(repo:mirror()))
      end)

      it("sends several packages as one push", function()
        local dir = s.bare()
        local repo = assert(pool:repo({ url = url_of(dir) }))
        local tree = s.package(pool)
        local out = assert(repo:push({
          s.publish("a", 1, tree),
          s.publish("b/c", 1, tree),
          s.publish("a", 2, s.package(pool, { ["x.yaml"] = "x: 1\n" })),
        }))
        local refs = s.refs(dir)
        assert.equal(out[3].commit, refs["refs/heads/main"])
        assert.equal(out[1].commit, refs["refs/tags/a/v1"])
        assert.equal(out[2].commit, refs["refs/tags/b/c/v1"])
        assert.equal(out[3].commit, refs["refs/tags/a/v2"])
        assert.equal(out[1].commit, s.line(s.git(dir, "rev-parse " .. out[2].commit .. "^1")))
        s.fsck(dir)
      end)

      it("publishes into Repository.directory and nested paths", function()
        local dir = s.bare()
        local repo = assert(pool:repo({ url = url_of(dir), directory = "/base/dir/" }))
        local out = one(repo, s.publish("x/pkg", 1, s.package(pool)))
        assert.is_nil(out.err)
        assert.equal(out.commit, s.refs(dir)["refs/tags/base/dir/x/pkg/v1"])
        assert.equal("100644", s.files(dir, "main")["base/dir/x/pkg/Kptfile"])
        assert.equal(MERGE:format("base/dir/x/pkg", 1, "base/dir/x/pkg", 1, 1),
          s.message(dir, "main"))
        s.fsck(dir)
      end)

      it("creates the branch of an empty repository when asked", function()
        local dir = s.bare({ empty = true })
        local repo = assert(pool:repo({ url = url_of(dir), create_branch = true }))
        local state = assert(repo:fetch())
        assert.equal("Initial commit: Creating main branch", s.message(dir, "main"))
        assert.equal("Created by porch", s.git(dir, "show main:README.md"))
        assert.equal(state.head, s.refs(dir)["refs/heads/main"])
        assert.equal("Package Orchestration Service <porch@kpt.dev>",
          s.line(s.git(dir, "log -1 --format='%an <%ae>' main")))
        assert.is_nil(one(repo, s.publish("pkg", 1, s.package(pool))).err)
        s.fsck(dir)
      end)

      it("names a missing branch", function()
        local dir = s.bare()
        local url = url_of(dir)
        local repo = assert(pool:repo({ url = url, branch = "missing" }))
        local _, err = repo:fetch()
        assert.equal("error cloning git repository " .. url .. ", fetch of remote repository "
          .. "failed: branch \"missing\" doesn't exist: reference not found", err.message)
        _, err = repo:push({ s.publish("pkg", 1, s.package(pool)) })
        assert.matches("branch \"missing\" doesn't exist", err.message)
        _, err = repo:probe()
        assert.equal('branch "missing" not found in repository', err.message)
      end)

      it("builds on what others pushed since the fetch", function()
        local dir = s.bare()
        local repo = assert(pool:repo({ url = url_of(dir) }))
        assert(repo:fetch())
        local other = s.commit(dir, "main", { ["other.txt"] = "other\n" }, "outside")
        local out = one(repo, s.publish("pkg", 1, s.package(pool)))
        assert.is_nil(out.err)
        assert.equal(other, s.line(s.git(dir, "rev-parse main^1")))
        assert.equal("100644", s.files(dir, "main")["other.txt"])
        s.fsck(dir)
      end)

      it("does an op once, however often it is run", function()
        local dir = s.bare()
        local repo = assert(pool:repo({ url = url_of(dir) }))
        local tree = s.package(pool)
        local out = one(repo, s.publish("pkg", 1, tree))
        s.commit(dir, "main", { ["other.txt"] = "other\n" }, "outside")
        local again = one(repo, s.publish("pkg", 1, tree))
        assert.is_nil(again.err)
        assert.equal(out.commit, again.commit)
        assert.equal(s.refs(dir)["refs/heads/main"], again.head)
        local stranger = one(repo, s.publish("pkg", 1, tree, { workspace = "other" }))
        assert.equal("conflict", stranger.err.kind)
        assert.equal('tag "pkg/v1" already exists', stranger.err.message)
      end)

      it("gives the same ids for the same op on the same head", function()
        local a, b = s.bare({ empty = true }), s.bare({ empty = true })
        s.commit(a, "main", { x = "x" }, "one")
        s.git(b, "fetch -q " .. s.quote(a) .. " main:main")
        local tree = s.package(pool)
        local ra, rb = pool:repo({ url = url_of(a) }), pool:repo({ url = url_of(b) })
        assert.equal(one(ra, s.publish("pkg", 1, tree)).commit,
          one(rb, s.publish("pkg", 1, tree)).commit)
      end)

      it("drops a failing op and publishes the others", function()
        local dir = s.bare()
        s.commit(dir, "main", { file = "not a directory\n" }, "file")
        local repo = assert(pool:repo({ url = url_of(dir) }))
        local tree = s.package(pool)
        local no_kptfile = assert(pool:make(nil, { { path = "a", bytes = "a" } }))
        local out = assert(repo:push({
          s.publish("good", 1, tree),
          s.publish("file/pkg", 1, tree),
          s.publish("bad", 1, no_kptfile),
          s.publish("also", 1, tree),
          s.publish("late", 0, tree),
        }))
        assert.is_nil(out[1].err)
        assert.matches('^path "file" is 0100644, not a directory in tree %x+$', out[2].err.message)
        assert.equal("package bad has no Kptfile", out[3].err.message)
        assert.is_nil(out[4].err)
        assert.equal("Version cannot be empty for the next package revision", out[5].err.message)
        local refs = s.refs(dir)
        assert.truthy(refs["refs/tags/good/v1"])
        assert.truthy(refs["refs/tags/also/v1"])
        assert.is_nil(refs["refs/tags/bad/v1"])
        s.fsck(dir)
      end)

      it("removes the draft branches of what it publishes", function()
        local dir = s.bare()
        s.git(dir, "branch drafts/pkg/ws1 main")
        s.git(dir, "branch proposed/pkg/ws1 main")
        s.git(dir, "branch drafts/pkg/ws2 main")
        local repo = assert(pool:repo({ url = url_of(dir) }))
        one(repo, s.publish("pkg", 1, s.package(pool)))
        local refs = s.refs(dir)
        assert.is_nil(refs["refs/heads/drafts/pkg/ws1"])
        assert.is_nil(refs["refs/heads/proposed/pkg/ws1"])
        assert.truthy(refs["refs/heads/drafts/pkg/ws2"])
      end)

      it("marks, unmarks and deletes", function()
        local dir = s.bare()
        local repo = assert(pool:repo({ url = url_of(dir) }))
        local tree = s.package(pool)
        local v1 = one(repo, s.publish("pkg", 1, tree)).commit
        local function op(kind, extra)
          local o = { type = kind, package = "pkg", workspace = "ws1", revision = 1, time = 1700 }
          for k, v in pairs(extra or {}) do
            o[k] = v
          end
          return one(repo, o)
        end
        assert.is_nil(op("mark", { expect = v1 }).err)
        assert.equal(v1, s.refs(dir)["refs/heads/deletionProposed/pkg/v1"])
        assert.is_nil(op("unmark").err)
        assert.is_nil(s.refs(dir)["refs/heads/deletionProposed/pkg/v1"])
        assert.is_nil(op("unmark").err)
        assert.equal("conflict", op("mark", { expect = ("1"):rep(40) }).err.kind)
        assert.equal("not-found", op("mark", { revision = 7 }).err.kind)
        op("mark")
        assert.is_nil(op("delete-tag", { expect = v1 }).err)
        assert.same({ ["refs/heads/main"] = v1 }, s.refs(dir))
        assert.is_nil(op("delete-tag").err)
        op("mark", { workspace = "main", revision = -1 })
        assert.equal(v1, s.refs(dir)["refs/heads/deletionProposed/pkg/main"])
        local gone = op("delete-package", {
          workspace = "main", revision = -1, author_name = "del", author_email = "d@x",
        })
        assert.same({ ["refs/heads/main"] = gone.commit }, s.refs(dir))
        assert.equal("Delete pkg", s.message(dir, "main"))
        assert.equal(v1, s.line(s.git(dir, "rev-parse main^")))
        assert.same({ ["README.md"] = "100644" }, s.files(dir, "main"))
        assert.is_nil(op("delete-package", { workspace = "main", revision = -1 }).err)
        s.git(dir, "branch drafts/pkg/ws1 main")
        assert.equal("conflict", op("delete-draft", { expect = v1 }).err.kind)
        assert.is_nil(op("delete-draft").err)
        assert.same({ ["refs/heads/main"] = gone.commit }, s.refs(dir))
        s.fsck(dir)
        s.fsck(repo:mirror())
      end)

      it("refuses to delete a tag that is not Porch's", function()
        local dir = s.bare()
        s.git(dir, "tag pkg/3 main")
        local repo = assert(pool:repo({ url = url_of(dir) }))
        local out = one(repo, { type = "delete-tag", package = "pkg", workspace = "v3",
          revision = 3 })
        assert.equal("cannot delete package tagged with a tag that is not specific to the "
          .. "package: refs/tags/pkg/3", out.err.message)
        assert.truthy(s.refs(dir)["refs/tags/pkg/3"])
      end)

      it("publishes a batch whose objects go as one pack", function()
        local dir = s.bare()
        local repo = assert(pool:repo({ url = url_of(dir) }))
        local ops = {}
        for i = 1, 60 do
          local tree = s.package(pool, { ["a.yaml"] = "a: " .. i .. "\n" })
          ops[i] = s.publish("pkgs/p" .. i, 1, tree)
        end
        local out = assert(repo:push(ops))
        assert.is_nil(out[60].err)
        assert.equal(out[60].commit, s.refs(dir)["refs/heads/main"])
        s.fsck(dir)
        s.fsck(repo:mirror())
      end)
    end)
  end

  describe("refused by the server", function()
    local dir, repo

    local function hook(name, text)
      s.write(dir .. "/hooks/" .. name, "#!/bin/sh\n" .. text)
      s.sh("chmod +x " .. dir .. "/hooks/" .. name)
    end

    before_each(function()
      dir = s.bare()
      repo = assert(pool:repo({ url = http_url(dir) }))
      assert(repo:fetch())
    end)

    it("leaves nothing half published when a hook refuses the tag", function()
      hook("update", 'case "$1" in refs/tags/bad/*) echo no such tag here; exit 1;; esac\n')
      local before = s.refs(dir)
      local out = one(repo, s.publish("bad", 1, s.package(pool)))
      assert.matches("failed to update ref refs/tags/bad/v1: hook declined", out.err.message)
      assert.matches("no such tag here", out.err.message)
      assert.same(before, s.refs(dir))
      assert.same(before, s.refs(repo:mirror()))
    end)

    it("publishes the other ops of the batch", function()
      hook("update", 'case "$1" in refs/tags/bad/*) exit 1;; esac\n')
      local tree = s.package(pool)
      local out = assert(repo:push({
        s.publish("a", 1, tree), s.publish("bad", 1, tree), s.publish("c", 1, tree),
      }))
      assert.is_nil(out[1].err)
      assert.matches("hook declined", out[2].err.message)
      assert.is_nil(out[3].err)
      local refs = s.refs(dir)
      assert.equal(out[3].commit, refs["refs/heads/main"])
      assert.equal(out[3].commit, refs["refs/tags/c/v1"])
      assert.is_nil(refs["refs/tags/bad/v1"])
      assert.is_nil(s.files(dir, "main")["bad/Kptfile"])
      s.fsck(dir)
    end)

    it("finds the guilty op when the hook refuses the push as a whole", function()
      hook("pre-receive", "while read old new ref; do case $ref in refs/tags/bad/*) exit 1;; "
        .. "esac; done\n")
      local tree = s.package(pool)
      local out = assert(repo:push({
        s.publish("a", 1, tree), s.publish("bad", 1, tree), s.publish("c", 1, tree),
      }))
      assert.is_nil(out[1].err)
      assert.matches("pre%-receive hook declined", out[2].err.message)
      assert.is_nil(out[3].err)
      assert.is_nil(s.refs(dir)["refs/tags/bad/v1"])
      s.fsck(dir)
    end)

    it("undoes half a push on a server without atomic pushes", function()
      s.git(dir, "config receive.advertiseAtomic false")
      hook("update", 'case "$1" in refs/tags/bad/*) exit 1;; esac\n')
      local before = s.refs(dir)
      local out = one(repo, s.publish("bad", 1, s.package(pool)))
      assert.matches("hook declined", out.err.message)
      assert.same(before, s.refs(dir))
    end)

    it("takes a race for a race: the branch moves while the push is under way", function()
      -- the hook moves the branch once, after our push was planned and before it is applied
      hook("update", "test -e moved && exit 0\ntouch moved\n"
        .. "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
        .. "c=$(GIT_AUTHOR_NAME=o GIT_AUTHOR_EMAIL=o GIT_COMMITTER_NAME=o "
        .. "GIT_COMMITTER_EMAIL=o git commit-tree -p main -m race main^{tree})\n"
        .. "git update-ref refs/heads/main $c\n")
      local out = one(repo, s.publish("pkg", 1, s.package(pool)))
      assert.is_nil(out.err)
      assert.equal("race", s.line(s.git(dir, "log -1 --format=%s main^1")))
      assert.equal(out.commit, s.refs(dir)["refs/tags/pkg/v1"])
      assert.equal(out.commit, s.refs(dir)["refs/heads/main"])
      s.fsck(dir)
    end)
  end)

  describe("onto file://", function()
    it("keeps off a branch that is checked out", function()
      local dir = s.tmp()
      s.git(dir, "init -q -b main .")
      s.write(dir .. "/a", "a")
      s.git(dir, "add a")
      s.git(dir, "commit -q -m one")
      local repo = assert(pool:repo({ url = dir }))
      local before = s.refs(dir)
      local out = one(repo, s.publish("pkg", 1, s.package(pool)))
      assert.matches("currently checked out", out.err.message)
      assert.same(before, s.refs(dir))
    end)

    it("changes nothing when one ref is locked", function()
      local dir = s.bare()
      local repo = assert(pool:repo({ url = dir }))
      local before = s.refs(dir)
      s.sh("mkdir -p " .. dir .. "/refs/tags/pkg")
      s.write(dir .. "/refs/tags/pkg/v1.lock", "")
      local out = one(repo, s.publish("pkg", 1, s.package(pool)))
      assert.equal("conflict", out.err.kind)
      assert.matches("failed to lock", out.err.message)
      assert.same(before, s.refs(dir))
    end)

    it("deletes refs that are packed", function()
      local dir = s.bare()
      local repo = assert(pool:repo({ url = dir }))
      one(repo, s.publish("pkg", 1, s.package(pool)))
      s.git(dir, "pack-refs --all")
      one(repo, { type = "delete-tag", package = "pkg", workspace = "ws1", revision = 1 })
      assert.is_nil(s.refs(dir)["refs/tags/pkg/v1"])
      assert.is_nil(s.refs(repo:mirror())["refs/tags/pkg/v1"])
    end)
  end)

  it("keeps modes of files that nobody touched", function()
    local dir = s.bare()
    s.commit(dir, "main", { ["pkg/run.sh"] = "#!/bin/sh\n" }, "script", { mode = "100755" })
    s.commit(dir, "main", { ["pkg/Kptfile"] = s.KPTFILE }, "kptfile")
    local repo = assert(pool:repo({ url = dir }))
    assert(repo:fetch())
    local found = assert(repo:discover())
    local files = assert(pool:list(repo, found[1].tree))
    files[#files + 1] = { path = "new.yaml", bytes = "a: 1\n" }
    local tree = assert(pool:make(repo, files))
    one(repo, s.publish("pkg", 1, tree))
    assert.same({
      ["README.md"] = "100644",
      ["pkg/Kptfile"] = "100644",
      ["pkg/new.yaml"] = "100644",
      ["pkg/run.sh"] = "100755",
    }, s.files(dir, "main"))
  end)

  it("writes odd names the way git can read them", function()
    local dir = s.bare()
    local repo = assert(pool:repo({ url = dir }))
    local op = s.publish("pkg", 1, s.package(pool), {
      author_name = "Ev<i>l\nparent 1", author_email = "", task = "",
    })
    one(repo, op)
    assert.equal("Evilparent 1 <>", s.line(s.git(dir, "log -1 --format='%an <%ae>' main")))
    op = s.publish("pkg", 2, s.package(pool))
    op.author_name, op.author_email = nil, "only@mail"
    one(repo, op)
    assert.equal("only@mail <only@mail>", s.line(s.git(dir, "log -1 --format='%an <%ae>' main")))
    op = s.publish("pkg", 3, s.package(pool))
    op.author_name, op.author_email = nil, nil
    one(repo, op)
    assert.equal("Package Orchestration Service <porch@kpt.dev>",
      s.line(s.git(dir, "log -1 --format='%an <%ae>' main")))
    s.fsck(dir)
  end)
end)
