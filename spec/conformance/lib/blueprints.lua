-- SPDX-License-Identifier: Apache-2.0
-- The hosted test-blueprints repository of the corpus, registered and synced.
local corpus = require("spec.conformance.lib.corpus")
local shell = require("spec.conformance.lib.shell")
local world = require("spec.conformance.lib.world")

local M = {}

--- Makes a bare repository of the bundle's refs that a host would have.
function M.clone(bundle, to)
  shell.sh("git init -q --bare -b main " .. shell.quote(to))
  shell.git(to, "fetch -q " .. shell.quote(bundle)
    .. " refs/heads/main:refs/heads/main 'refs/tags/*:refs/tags/*'")
end

--- Calls fn(world, list of JSON) with the repository registered as test-blueprints, and returns
--- what it returns; nil and a reason when the corpus has no such repository.
function M.with(fn)
  local bundle, missing = corpus.file("porch-fixtures/gitea/test-blueprints.bundle")
  if not bundle then
    return nil, missing
  end
  return world.with({}, function(w)
    M.clone(bundle, w.dir .. "/remote.git")
    w:repository("test-blueprints", { repo = "file://" .. w.dir .. "/remote.git",
      branch = "main" })
    local n, err = w.engine:sync(world.NS, "test-blueprints")
    if not n then
      error(err.message)
    end
    return fn(w, assert(w.engine:objects("packagerevisions", world.NS)))
  end)
end

return M
