-- SPDX-License-Identifier: Apache-2.0
-- Clones and upgrades through the engine: content from other repositories, which upstreams may be
-- read and with what, who decides how files are written, and packages that are broken or hostile.

local cjson = require "cjson"
local engine = require "probe_engine"
local s = require "spec.core.repo.support"

local KPTFILE = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: base\n"
local CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name:   c}\ndata: {a: b}\n"

describe("a derived package", function()
  local dir, h

  local function shell(command)
    return s.line(s.sh(command))
  end

  local function register(name, url, more)
    more = more or {}
    assert(h:write { verb = "create", kind = "repositories", ns = "default", name = name,
      object = cjson.encode {
        apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
        metadata = { name = name, namespace = "default", annotations = more.annotations },
        spec = { type = "git", git = { repo = url, branch = "main" } },
      } })
    assert(h:wait("repositories", "default", name, '"reason":"Ready"'))
  end

  local function create(repository, package, workspace, task)
    local out, err = h:write { verb = "create", kind = "packagerevisions", ns = "default",
      object = cjson.encode {
        apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevision",
        metadata = { namespace = "default" },
        spec = { repository = repository, packageName = package, workspaceName = workspace,
          tasks = { task } },
      } }
    return out and cjson.decode((out)), err
  end

  local function clone_git(git)
    return { type = "clone", clone = { upstreamRef = { type = "git", git = git } } }
  end

  local function clone_of(name)
    return { type = "clone", clone = { upstreamRef = { upstreamRef = { name = name } } } }
  end

  local function publish(name)
    for _, to in ipairs { "Proposed", "Published" } do
      local object = cjson.decode((assert(h:get("packagerevisions", "default", name))))
      object.spec.lifecycle = to
      assert(h:write { verb = "update", kind = "packagerevisions", ns = "default", name = name,
        object = cjson.encode(object), subresource = to == "Published" and "approval" or nil })
    end
  end

  local function files(name)
    return cjson.decode((assert(h:resources("default", name)))).spec.resources
  end

  local function open(options)
    h = assert(engine.open(dir .. "/data", options))
  end

  -- A repository with a package; its URL, its directory and the commit.
  local function upstream(content)
    local remote = s.bare()
    local all = { ["base/Kptfile"] = KPTFILE }
    for path, bytes in pairs(content or { ["config.yaml"] = CONFIG }) do
      all["base/" .. path] = bytes
    end
    local commit = s.commit(remote, "main", all, "base")
    s.git(remote, "tag base/v1")
    return "file://" .. remote, remote, commit
  end

  before_each(function()
    dir = s.tmp()
    open()
    register("git", "file://" .. s.bare())
  end)

  after_each(function()
    h:close()
    s.clean()
  end)

  it("takes its content from another repository and keeps it without", function()
    local url, remote = upstream({ ["config.yaml"] = CONFIG, ["logo.txt"] = "only there\n" })
    register("blue", url)
    local made = assert(create("git", "web", "v1", clone_of("blue.base.v1")))
    assert.equal("git.web.v1", made.metadata.name)
    assert(h:write { verb = "delete", kind = "repositories", ns = "default", name = "blue" })
    s.sh("rm -rf " .. s.quote(remote))
    assert.equal("only there\n", files("git.web.v1")["logo.txt"])
    publish("git.web.v1")
    local published = cjson.decode((h:get("packagerevisions", "default", "git.web.v1")))
    assert.equal("Published", published.spec.lifecycle)
  end)

  it("is not made from a local repository that is not registered", function()
    local url, remote = upstream()
    for _, repo in ipairs { url, remote, remote .. "/", "file://localhost" .. remote,
      "FILE://" .. remote, "./x.git", "../x.git", "x.git" } do
      local made, err = create("git", "web", "v1", clone_git { repo = repo, ref = "main",
        directory = "base" })
      assert.is_nil(made, repo)
      assert.equal(500, err.code)
      assert.matches("^Internal error occurred: cannot clone Git repository: ", err.message)
    end
    local _, err = create("git", "web", "v1", clone_git { repo = url, ref = "main",
      directory = "base" })
    assert.matches("repository on the server's disk is not registered: " .. url, err.message, 1,
      true)
    register("blue", url)
    assert(create("git", "web", "v1", clone_git { repo = url, ref = "main", directory = "base" }))
  end)

  it("opens an upstream with a Secret of its namespace", function()
    local _, remote = upstream()
    local port = s.http(s.dirname(remote), "--user u --password p")
    local git = { repo = ("http://127.0.0.1:%d/remote.git"):format(port), ref = "main",
      directory = "base", secretRef = { name = "login" } }
    local _, err = create("git", "web", "v1", clone_git(git))
    assert.matches('cannot resolve credentials in a secret default/login: Secret "login" not found',
      err.message, 1, true)
    assert(h:write { verb = "create", kind = "secrets", ns = "default", name = "login",
      object = cjson.encode { apiVersion = "v1", kind = "Secret",
        type = "kubernetes.io/basic-auth", metadata = { name = "login", namespace = "default" },
        data = { username = "dQ==", password = "cA==" } } })
    assert(create("git", "web", "v1", clone_git(git)))
    git.secretRef = nil
    _, err = create("git", "web2", "v1", clone_git(git))
    assert.matches("authentication", err.message)
  end)

  it("is not made from a ref that begins with a dash", function()
    local url, remote = upstream()
    register("blue", url)
    s.git(remote, "update-ref refs/heads/--upload-pack=touch main")
    for _, ref in ipairs { "-x", "--upload-pack=touch", "--output=/x", "-" } do
      local made, err = create("git", "web", "v1", clone_git { repo = url, ref = ref,
        directory = "base" })
      assert.is_nil(made, ref)
      assert.equal(500, err.code)
      assert.matches(('invalid branch name "%s"'):format(ref), err.message, 1, true)
    end
  end)

  it("is upgraded in the memory of a script when it has 1 MB", function()
    local function content(value)
      local made = {}
      for i = 1, 10 do
        local list = {}
        for j = 1, 400 do
          list[j] = ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c-%d-%d\ndata:\n"
            .. "  value: \"%s\" # of all\n  text: %s\n"):format(i, j, value, ("x"):rep(150))
        end
        made["base/part-" .. i .. ".yaml"] = table.concat(list, "---\n")
      end
      return made
    end
    local url, remote = upstream()
    s.commit(remote, "main", content("1"), "one")
    s.git(remote, "tag base/v2")
    s.commit(remote, "main", content("2"), "two")
    s.git(remote, "tag base/v3")
    register("blue", url)
    assert(create("git", "web", "v1", clone_of("blue.base.v2")))
    publish("git.web.v1")
    local made, err = create("git", "web", "v2", { type = "upgrade", upgrade = {
      oldUpstreamRef = { name = "blue.base.v2" }, newUpstreamRef = { name = "blue.base.v3" },
      localPackageRevisionRef = { name = "git.web.v1" } } })
    assert(made, err and err.message)
    assert.matches('value: "2" # of all', files("git.web.v2")["part-10.yaml"], 1, true)
  end)

  describe("is written", function()
    local function cloned(repository)
      local url = upstream()
      register("blue", url)
      assert(create(repository, "web", "v1", clone_of("blue.base.v1")))
      return files(repository .. ".web.v1")["config.yaml"]
    end

    it("with what nobody touched in its own bytes", function()
      assert.matches("data: {a: b}\n", cloned("git"), 1, true)
    end)

    it("as kpt writes when the server is told so", function()
      h:close()
      open({ kpt = true })
      assert.matches("internal.kpt.dev/upstream-identifier", cloned("git"), 1, true)
      assert.matches("name: c, ", files("git.web.v1")["config.yaml"], 1, true)
    end)

    it("as the annotation of its repository says, before the server", function()
      register("kpt", "file://" .. s.bare(), { annotations = { ["lanai.dev/compat"] = "kpt" } })
      local mine = cloned("kpt")
      assert.matches("name: c, ", mine, 1, true)
      h:close()
      open({ kpt = true })
      register("own", "file://" .. s.bare(), { annotations = { ["lanai.dev/compat"] = "lanai" } })
      assert(create("own", "web", "v1", clone_of("blue.base.v1")))
      assert.not_equal(mine, files("own.web.v1")["config.yaml"])
    end)
  end)

  describe("of a bad upstream", function()
    local function now_ms()
      return tonumber(shell("date +%s%3N"))
    end

    -- Clones and saves what was kept; the files of the clone, or the error; and the milliseconds
    -- beyond what a good package of one file takes.
    local function clone(content)
      register("blue", (upstream(content)))
      local from = now_ms()
      local made, err = create("git", "web", "v1", clone_of("blue.base.v1"))
      local took = now_ms() - from
      return made and files("git.web.v1"), err, took
    end

    it("names the place of a broken document, or keeps it and stamps the other files", function()
      local broken = "a: b\n---\nx: {y\n"
      local kept, err = clone({ ["broken.yaml"] = broken, ["config.yaml"] = CONFIG })
      if kept then
        assert.equal(broken, kept["broken.yaml"])
        assert.matches("upstream%-identifier", kept["config.yaml"])
      else
        assert.matches("broken%.yaml: .*document 2, line %d+, column %d+", err.message)
      end
    end)

    it("names the place of a mistake in the Kptfile", function()
      local kept, err = clone({ Kptfile = KPTFILE .. "info: {a\n" })
      assert.is_nil(kept)
      assert.equal(500, err.code)
      assert.matches("Kptfile", err.message)
      assert.matches("line %d+", err.message)
    end)

    local bomb = { "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" }
    for i = 1, 9 do
      bomb[#bomb + 1] = ("a%d: &a%d [%s]\n"):format(i, i,
        ("*a" .. i - 1 .. ", "):rep(9) .. "*a" .. i - 1)
    end
    for name, text in pairs({
      ["an alias bomb"] = table.concat(bomb),
      ["100,000 levels"] = ("["):rep(100000) .. ("]"):rep(100000) .. "\n",
      ["bytes that are no UTF-8"] = "a: \xff\xfe\n",
      ["unfinished nesting"] = ("- "):rep(100000),
    }) do
      it("names the file of " .. name .. " or keeps it unharmed, in time", function()
        local kept, err, took = clone({ ["bad.yaml"] = text, ["config.yaml"] = CONFIG })
        if kept then
          assert.is_true(text:find("\xff") ~= nil or text == kept["bad.yaml"])
          assert.matches("upstream%-identifier", kept["config.yaml"])
        else
          assert.matches("bad%.yaml", err.message)
        end
        assert.is_true(took < 1000, took .. " ms")
      end)
    end

    it("has a symlink out of the package for a link, never for what it names", function()
      local url, remote = upstream()
      s.commit(remote, "main", { ["base/link.yaml"] = "/etc/passwd" }, "link",
        { mode = "120000" })
      s.git(remote, "tag base/v2")
      register("blue", url)
      local made, err = create("git", "web", "v1", clone_of("blue.base.v2"))
      local text = made and files("git.web.v1")["link.yaml"] or err.message
      assert.is_nil((text or ""):find("root:", 1, true))
    end)
  end)
end)
