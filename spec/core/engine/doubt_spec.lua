-- SPDX-License-Identifier: Apache-2.0
-- core/engine/push_run.c: pushes that fail, above all those of which nobody knows whether they did.

local cjson = require "cjson"
local engine = require "probe_engine"

local function shell(command)
  local f = assert(io.popen("LD_PRELOAD= sh -c '" .. command:gsub("'", "'\\''") .. "' 2>&1"))
  local out = f:read("a")
  assert(f:close(), command .. ": " .. out)
  return (out:gsub("%s+$", ""))
end

describe("a push", function()
  local dir, h, server, pid

  local function git(command)
    return shell("git -C " .. dir .. "/git.git " .. command)
  end

  local function fault(name)
    shell("touch " .. dir .. "/.fault-" .. name)
  end

  local function heal()
    shell("rm -f " .. dir .. "/.fault-*")
  end

  local function get(name)
    local text = h:get("packagerevisions", "default", name)
    return text and cjson.decode(text)
  end

  local function lifecycle(name, to, subresource)
    local object = get(name)
    object.spec.lifecycle = to
    return h:write { verb = "update", kind = "packagerevisions", ns = "default", name = name,
                     object = cjson.encode(object), subresource = subresource }
  end

  local function approve(name)
    return lifecycle(name, "Published", "approval")
  end

  local function propose(package, workspace, source)
    local tasks = source and { { type = "edit", edit = { sourceRef = { name = source } } } }
    assert(h:write { verb = "create", kind = "packagerevisions", ns = "default",
      object = cjson.encode {
        apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevision",
        metadata = { namespace = "default" },
        spec = { repository = "git", packageName = package, workspaceName = workspace,
                 tasks = tasks } } })
    local name = ("git.%s.%s"):format(package, workspace)
    assert(lifecycle(name, "Proposed"))
    return name
  end

  local function wait(name, text)
    return cjson.decode((assert(h:wait("packagerevisions", "default", name, text))))
  end

  -- The approval is done in git, but the client is told of an error.
  local function approve_in_doubt(name, tag)
    fault("lost-down")
    local out, err = approve(name)
    assert.is_nil(out)
    assert.equal(503, err.code)
    assert.equal("Proposed", get(name).spec.lifecycle)
    assert.matches(tag or "app/v1", git("tag"), 1, true)
  end

  before_each(function()
    dir = shell("mktemp -d")
    shell(("git init -q --bare -b main %s/git.git && git init -q -b main %s/work && cd %s/work"
      .. " && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first"
      .. " && git push -q %s/git.git HEAD:main"):format(dir, dir, dir, dir))
    server = assert(io.popen("echo $$; LD_PRELOAD= exec python3 -W ignore spec/wire/git_http.py "
      .. dir))
    pid = server:read("l")
    local port = server:read("l")
    h = assert(engine.open(dir .. "/data"))
    assert(h:write { verb = "create", kind = "repositories", ns = "default", name = "git",
      object = cjson.encode {
        apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
        metadata = { name = "git", namespace = "default" },
        spec = { type = "git", git = {
          repo = ("http://127.0.0.1:%s/git.git"):format(port), branch = "main" } } } })
    assert(h:wait("repositories", "default", "git", '"reason":"Ready"'))
  end)

  after_each(function()
    h:close()
    shell("kill " .. pid)
    server:close()
    shell("rm -rf " .. dir)
  end)

  it("whose answer was lost is looked for until it is found", function()
    local name = propose("app", "w")
    approve_in_doubt(name)
    heal()
    local found = wait(name, '"lifecycle":"Published"')
    assert.equal(1, found.spec.revision)
    assert.equal(git("rev-parse app/v1"), found.status.selfLock.git.commit)
    assert.equal("app/v1", git("tag"))
    assert.equal(2, cjson.decode((assert(approve(propose("app", "w2", name))))).spec.revision)
  end)

  it("in doubt is looked for after a restart too", function()
    local name = propose("app", "w")
    approve_in_doubt(name)
    h:close()
    heal()
    h = assert(engine.open(dir .. "/data"))
    assert.equal(1, wait(name, '"lifecycle":"Published"').spec.revision)
  end)

  it("in doubt is carried on by whoever asks again", function()
    local name = propose("app", "w")
    approve_in_doubt(name)
    heal()
    assert.equal(1, cjson.decode((assert(approve(name)))).spec.revision)
    assert.equal("app/v1", git("tag"))

    local other = propose("lib", "w")
    fault("post-503")
    local _, err = approve(other)
    assert.equal(503, err.code)
    heal()
    assert.equal(1, cjson.decode((assert(approve(other)))).spec.revision)
    assert.equal("app/v1\nlib/v1", git("tag"))
  end)

  it("in doubt counts for the numbers of its package, and wins over later changes", function()
    local base = propose("app", "w")
    assert(approve(base))
    local first, second = propose("app", "w2", base), propose("app", "w3", base)
    approve_in_doubt(first, "app/v2")
    local draft = assert(lifecycle(first, "Draft"))
    assert.equal("Draft", cjson.decode(draft).spec.lifecycle)
    local _, err = approve(second) -- it cannot be numbered now
    assert.equal(503, err.code)
    heal()
    assert.equal(3, cjson.decode((assert(approve(second)))).spec.revision)
    assert.equal(2, wait(first, '"lifecycle":"Published"').spec.revision)
    assert.equal("app/v1\napp/v2\napp/v3", git("tag"))
  end)

  it("that never arrived leaves the revision as it was", function()
    local base = propose("app", "w")
    assert(approve(base))
    local name = propose("app", "w2", base)
    fault("post-503")
    local _, err = approve(name)
    assert.equal(503, err.code)
    heal()
    assert.equal("Draft", cjson.decode((assert(lifecycle(name, "Draft")))).spec.lifecycle)
    assert(lifecycle(name, "Proposed"))
    assert.equal(2, cjson.decode((assert(approve(propose("app", "w3", base))))).spec.revision)
    assert.equal("Proposed", get(name).spec.lifecycle)
    assert.equal(3, cjson.decode((assert(approve(name)))).spec.revision)
  end)

  it("of a deletion marker is repeated until git takes it, in order", function()
    local name = propose("app", "w")
    assert(approve(name))
    fault("503")
    assert(lifecycle(name, "DeletionProposed"))
    heal()
    assert(lifecycle(name, "Published"))
    assert(lifecycle(name, "DeletionProposed"))
    fault("503")
    assert(lifecycle(name, "Published"))
    assert(lifecycle(name, "DeletionProposed"))
    heal()
    shell(("timeout 30 sh -c 'until git -C %s/git.git show-ref -q deletionProposed/app/v1; do :; "
      .. "done'"):format(dir))
    assert.equal("DeletionProposed", get(name).spec.lifecycle)
    assert(h:write { verb = "delete", kind = "packagerevisions", ns = "default", name = name })
    assert.equal("refs/heads/main", git("for-each-ref --format='%(refname)'"))
  end)
end)
