-- SPDX-License-Identifier: Apache-2.0
-- core/repo/{discover,annotation}.c: package revisions in refs, against Porch's own fixtures and
-- against the odd cases that they leave out.
local probe = require("probe_repo")
local s = require("spec.core.repo.support")

local CASES = os.getenv("LANAI_CONFORMANCE")
CASES = CASES and CASES ~= "" and CASES or "../shared/conformance"
local FIXTURES = CASES .. "/porch-fixtures/git/"
local have_fixtures = os.execute("test -d " .. FIXTURES) == true

describe("repo discovery", function()
  local pool

  before_each(function()
    pool = assert(probe.open(s.tmp()))
  end)

  after_each(function()
    pool:close()
    s.clean()
  end)

  local function discover(remote)
    local repo = assert(pool:repo(remote))
    local ok, err = repo:fetch()
    assert(ok, err and err.message)
    local found, warnings = repo:discover()
    assert(found, not found and warnings.message)
    return found, warnings, repo
  end

  --- "package/workspace@revision kind" of each, sorted.
  local function names(found)
    local list = {}
    for i, f in ipairs(found) do
      list[i] = ("%s/%s@%d %s"):format(f.package, f.workspace, f.revision, f.kind)
    end
    table.sort(list)
    return list
  end

  describe("of Porch's fixtures", function()
    local LIFECYCLE = { tag = "Published", branch = "Published", draft = "Draft",
      proposed = "Proposed" }

    --- The `expect` list of a fixture: entries with their keys, by a line reader that knows the
    --- one layout these files have.
    local function exact(name)
      local list, inside = {}, false
      for line in io.lines(FIXTURES .. name .. ".yaml") do
        if line:match("^  exact:") then
          inside = true
        elseif inside and line:match("^  %- package:") then
          list[#list + 1] = { package = line:match(": (.+)$") }
        elseif inside and line:match("^    %a+: ") then
          local key, value = line:match("^    (%a+): (.+)$")
          list[#list][key] = tonumber(value) or value
        elseif inside then
          break
        end
      end
      return list
    end

    local function unpack(name)
      local dir = s.tmp()
      s.sh("tar -C " .. dir .. " -xf " .. FIXTURES .. name .. ".tar")
      -- not bare, its branch would count as checked out
      s.sh("git config -f $(ls " .. dir .. "/.git/config " .. dir .. "/config 2>/dev/null) "
        .. "core.bare true")
      return dir
    end

    for _, name in ipairs({ "simple-repository", "drafts-repository", "trivial-repository",
      "empty-repository" }) do
      for _, branch in ipairs({ "main", "feature", "nested/release" }) do
        it("finds in " .. name .. " on " .. branch .. " what Porch finds", function()
          if not have_fixtures then
            return pending("the fixtures are not there")
          end
          local dir = unpack(name)
          local has_main = s.refs(dir)["refs/heads/main"]
          if branch ~= "main" and has_main then
            s.git(dir, "branch " .. branch .. " main")
          end
          local want = {}
          for i, e in ipairs(exact(name)) do
            local workspace = e.workspace == "${BRANCH}" and branch:gsub("/", "-") or e.workspace
            want[i] = ("%s/%s@%d %s"):format(e.package, workspace, e.revision, e.lifecycle)
          end
          table.sort(want)
          local found = discover({ url = dir, branch = branch, create_branch = not has_main })
          local got = {}
          for i, f in ipairs(found) do
            got[i] = ("%s/%s@%d %s"):format(f.package, f.workspace, f.revision, LIFECYCLE[f.kind])
          end
          table.sort(got)
          assert.same(want, got)
        end)
      end
    end

    it("finds the packages of a directory in nested-repository", function()
      if not have_fixtures then
        return pending("the fixtures are not there")
      end
      local dir = unpack("nested-repository")
      assert.same({ "bucket/main@-1 branch", "bucket/v1@1 tag", "bucket/v2@0 draft",
        "cloud-sql/v1@0 draft", "spanner/v1@0 draft",
      }, names(discover({ url = dir, directory = "catalog/gcp" })))
      assert.same({}, (discover({ url = dir, directory = "nonexistent" })))
      local at_root, refs = {}, 0
      for _, f in ipairs((discover({ url = dir }))) do
        refs = refs + (f.kind ~= "branch" and 1 or 0)
        if not f.package:find("/") then
          at_root[#at_root + 1] = f.package .. "/" .. f.workspace
        end
      end
      table.sort(at_root)
      assert.same({ "sample/main", "sample/v1", "sample/v2" }, at_root)
      assert.equal(13, refs) -- every tag and draft
    end)

    it("numbers tags in manual-tagged-repository", function()
      if not have_fixtures then
        return pending("the fixtures are not there")
      end
      local seen = {}
      for _, f in ipairs((discover({ url = unpack("manual-tagged-repository") }))) do
        assert.equal("pkg", f.package)
        seen[f.revision] = true
      end
      assert.same({ [-1] = true, [1] = true, [2] = true }, seen)
    end)

    it("reads the task of an old draft", function()
      if not have_fixtures then
        return pending("the fixtures are not there")
      end
      for _, f in ipairs((discover({ url = unpack("drafts-repository") }))) do
        if f.package == "pkg-with-history" then
          assert.equal('{"type":"init","init":{"description":"sample description"}}', f.task)
        end
      end
    end)
  end)

  it("finds what was published, as it was published", function()
    local dir = s.bare()
    local repo = assert(pool:repo({ url = dir, directory = "base" }))
    local tree = s.package(pool, { ["x/y.yaml"] = "a: 1\n" })
    local out = assert(repo:push({
      s.publish("a/pkg", 1, tree),
      s.publish("a/pkg", 2, tree, {
        task = '{"type": "edit", "edit": {"sourceRef": {"name": "r.a<&>.ws1"}}}',
        author_name = "two",
      }),
    }))
    assert.is_nil(out[2].err)
    local expected
    for _, again in ipairs({ false, true }) do
      local at = again and assert(probe.open(s.tmp())) or pool
      local other = assert(at:repo({ url = dir, directory = "base" }))
      assert(other:fetch())
      local found = assert(other:discover())
      table.sort(found, function(x, y)
        return x.revision < y.revision
      end)
      assert.equal(3, #found)
      local main, one, two = found[1], found[2], found[3]
      assert.same({ "branch", "main", "a/pkg", "main", out[2].commit, "two", 1700000002, "" }, {
        main.kind, main.ref, main.package, main.workspace, main.commit, main.author_name,
        main.author_time, main.task,
      })
      assert.same({ "tag", "base/a/pkg/v1", "ws1", out[1].commit, tree, "user", 1700000001 }, {
        one.kind, one.ref, one.workspace, one.commit, one.tree, one.author_name, one.author_time,
      })
      assert.equal('{"type":"init","init":{"description":"a package"}}', one.task)
      assert.equal("ws2", two.workspace)
      assert.equal('{"type":"edit","edit":{"sourceRef":{"name":"r.a<&>.ws1"}}}', two.task)
      assert.equal(s.line(s.git(dir, "rev-parse base/a/pkg/v1:base/a/pkg/Kptfile")), one.kptfile)
      expected = expected or names(found)
      assert.same(expected, names(found))
      if again then
        at:close()
      end
    end
    assert.matches("r%.a\\u003c\\u0026\\u003e%.ws1", s.message(dir, "main^2"))
  end)

  it("knows tags, drafts and proposals by their names", function()
    local dir = s.bare()
    s.commit(dir, "main", { ["pkg/Kptfile"] = s.KPTFILE, ["d/pkg/Kptfile"] = s.KPTFILE,
      ["pkg/sub/Kptfile"] = s.KPTFILE, ["plain/README.md"] = "x" }, "packages")
    for _, tag in ipairs({ "release", "pkg/v1", "pkg/v01x", "pkg/7", "pkg/v1.2.3", "plain/v1",
      "d/pkg/v4", "nothing/v1" }) do
      s.git(dir, "tag " .. tag .. " main")
    end
    s.git(dir, "tag -a -m annotated pkg/v9 main")
    for _, branch in ipairs({ "drafts/pkg/w1", "proposed/d/pkg/w2", "drafts/lonely",
      "proposed/plain/w", "other", "deletionProposed/pkg/v1", "deletionProposed/pkg/main" }) do
      s.git(dir, "branch " .. branch .. " main")
    end
    local found, warnings = discover({ url = dir })
    assert.same({
      "d/pkg/main@-1 branch", "d/pkg/v4@4 tag", "d/pkg/w2@0 proposed",
      "pkg/main@-1 branch", "pkg/v01x@-1 tag", "pkg/v1.2.3@-1 tag", "pkg/v1@1 tag",
      "pkg/v7@7 tag", "pkg/v9@9 tag", "pkg/w1@0 draft",
    }, names(found))
    for _, f in ipairs(found) do
      assert.equal(f.ref == "pkg/v1" or (f.package == "pkg" and f.kind == "branch"),
        f.deletion_proposed, f.ref)
      assert.equal(s.refs(dir)["refs/heads/main"], f.commit)
    end
    assert.same({
      "branch drafts/lonely skipped: no package in its name",
      "branch proposed/plain/w skipped: no Kptfile in plain",
    }, warnings)
  end)

  it("prefers the tag to the proposal to the draft of one workspace", function()
    local dir = s.bare()
    local repo = assert(pool:repo({ url = dir }))
    assert(repo:push({ s.publish("pkg", 1, s.package(pool)) }))
    s.git(dir, "branch drafts/pkg/ws1 main")
    s.git(dir, "branch proposed/pkg/ws1 main")
    s.git(dir, "branch drafts/pkg/w main")
    s.git(dir, "branch proposed/pkg/w main")
    local found, warnings = discover({ url = dir })
    assert.same({ "pkg/main@-1 branch", "pkg/w@0 proposed", "pkg/ws1@1 tag" }, names(found))
    assert.equal(3, #warnings)
    assert.equal("ref drafts/pkg/w hidden: workspace w of package pkg exists twice", warnings[1])
  end)

  it("skips a package without a name and follows a branch with a slash", function()
    local dir = s.bare({ empty = true })
    s.commit(dir, "rel/one", { ["dir/Kptfile"] = s.KPTFILE, ["dir/sub/Kptfile"] = s.KPTFILE }, "x")
    s.git(dir, "tag dir/v1 rel/one")
    local found, warnings = discover({ url = dir, branch = "rel/one", directory = "dir" })
    assert.same({}, found)
    assert.equal(2, #warnings)
    assert.matches("has no name", warnings[1])
    found = discover({ url = dir, branch = "rel/one" })
    assert.same({ "dir/rel-one@-1 branch", "dir/v1@1 tag" }, names(found))
  end)

  it("takes the task of the right life of a workspace name", function()
    local dir = s.bare()
    local repo = assert(pool:repo({ url = dir }))
    local tree = s.package(pool)
    local function life(n)
      return s.publish("pkg", 1, tree, {
        workspace = "ws", time = 1700000000 + n,
        task = '{"type":"init","init":{"description":"life ' .. n .. '"}}',
      })
    end
    assert(repo:push({ life(1) }))
    assert(repo:push({ { type = "delete-tag", package = "pkg", workspace = "ws", revision = 1 } }))
    assert(repo:push({ life(2) }))
    for _, f in ipairs((discover({ url = dir }))) do
      if f.kind == "tag" then
        assert.equal('{"type":"init","init":{"description":"life 2"}}', f.task)
      end
    end
  end)

  it("makes a damaged mirror anew", function()
    local dir = s.bare()
    local _, _, repo = discover({ url = dir })
    local pub = s.publish("pkg", 1, s.package(pool))
    assert(repo:push({ pub }))
    local mirror = repo:mirror()
    pool:close()
    s.sh("rm -rf " .. mirror .. "/objects/??")
    pool = assert(probe.open(s.line(s.sh("dirname $(dirname " .. mirror .. ")"))))
    assert.same({ "pkg/main@-1 branch", "pkg/ws1@1 tag" }, names((discover({ url = dir }))))
    pool:close()
    s.sh("echo broken > " .. mirror .. "/packed-refs")
    pool = assert(probe.open(s.line(s.sh("dirname $(dirname " .. mirror .. ")"))))
    assert.same({ "pkg/main@-1 branch", "pkg/ws1@1 tag" }, names((discover({ url = dir }))))
    s.fsck(mirror)
  end)

  it("prunes what the remote dropped, rewinds included", function()
    local dir = s.bare()
    local first = s.refs(dir)["refs/heads/main"]
    local _, _, repo = discover({ url = dir })
    assert(repo:push({ s.publish("pkg", 1, s.package(pool)) }))
    s.git(dir, "tag -d pkg/v1")
    s.git(dir, "update-ref refs/heads/main " .. first)
    local state = assert(repo:fetch())
    assert.equal(first, state.head)
    assert.same({}, assert(repo:discover()))
    local version = state.version
    s.git(dir, "branch x main")
    assert.not_equal(version, assert(repo:fetch()).version)
  end)
end)

describe("annotations", function()
  it("are found on any line and survive nonsense", function()
    local list = probe.annotations("subject kpt:{no}\n  kpt:{\"package\":\"a/b\",\"workspaceName\":"
      .. '"w","revision":"3","task":{"type":"init"},"other":[1]}  \nkpt:nonsense\nkpt:[]\n'
      .. 'kpt:{"package":"old","revision":"v2"}')
    assert.same({
      { package = "a/b", workspace = "w", revision = "3", task = '{"type":"init"}' },
      { package = "old", workspace = "", revision = "v2", task = "" },
    }, list)
  end)

  it("are written compactly with Go's escapes", function()
    assert.equal('kpt:{"package":"a","workspaceName":"w\\u003c","revision":"0","task":'
      .. '{"a":[1,"x  y\\" \\u0026\\u2028"]}}\n',
      probe.annotate("a", "w<", 0, '{ "a" : [ 1,\n "x  y\\" &\u{2028}" ] }'))
  end)
end)
