-- SPDX-License-Identifier: Apache-2.0
--
-- Questions of the conformance runner to the package library, as a verb of the command line: the
-- only argument is {question, …} as JSON, the answer is printed as JSON {answer} or {error}.

local disk = require("cli.disk")
local identity = require("lanai.identity")
local ignore = require("lanai.ignore")
local json = require("lanai.json")
local lanai = require("lanai")
local location = require("lanai.location")
local package = require("lanai.package")
local process = require("lanai.process")
local resources = require("lanai.resources")
local strategy = require("lanai.strategy")
local tree = require("lanai.tree")

local function load(directory)
  return assert(disk.load(directory))
end

-- All paths of a tree, directories too.
local function everything(root, walk)
  local list = { "." }
  walk(root, function(path)
    list[#list + 1] = path
  end)
  return list
end

-- A repository with these branches.
local function remote(req)
  return {
    refs = function()
      local refs = {}
      for _, name in ipairs(req.branches or {}) do
        refs["refs/heads/" .. name] = ("0"):rep(40)
      end
      return refs
    end,
    default_branch = function()
      return "main"
    end,
  }
end

local QUESTIONS = {
  walk = function(req)
    return everything(load(req.dir), package.walk)
  end,

  copy = function(req)
    local to = tree.new()
    assert(package.copy(load(req.dir), to, { kptfile = req.kptfile, subpackages = req.matcher }))
    return everything(to, to.walk)
  end,

  subpackages = function(req)
    return package.subpackages(load(req.dir), req.matcher, { recursive = req.recursive })
  end,

  diff = function(req)
    return package.diff(load(req.a), load(req.b))
  end,

  strategy = function(req)
    local before = load(req.ours)
    local ours, report = tree.load(before), {}
    local ok, err = strategy.apply(req.strategy, { ours = ours, theirs = load(req.theirs),
      base = load(req.base), name = req.name, path = ".", is_root = req.is_root,
      compat = req.compat, report = report })
    if ok then
      ok, err = disk.save(req.ours, before, ours)
    end
    return ok, err
  end,

  stamp = function(req)
    local before = load(req.dir)
    local after = tree.load(before)
    identity.stamp("kpt", after)
    return disk.save(req.dir, before, after)
  end,

  ignore = function(req)
    return ignore.files(load(req.dir), { packages = true })
  end,

  -- Resources of a directory as documents, with the annotations that say where they are.
  documents = function(req)
    local list, root = {}, load(req.dir)
    for _, path in ipairs(root:files()) do
      list[#list + 1] = { path = path, text = root:file(path) }
    end
    return resources.text(assert(resources.read(list, { annotate = true })), {})
  end,

  version = function(req)
    local directory, version = location.parse_version(req.text)
    return directory and { directory, version }, version
  end,

  github = function(req)
    return location.from_github(req.url, remote(req))
  end,

  url = function(req)
    local _, directory, ref = location.parse_url(req.url)
    return { directory, ref }
  end,

  location = function(req)
    return location.parse(req.url, remote(req))
  end,

  display = function(req)
    local root = location.clean(req.at .. "/" .. req.root)
    local path = location.clean(req.at .. "/" .. req.path)
    return package.display(location.base(root), path == root and "." or path:sub(#root + 2))
  end,
}

return function(args)
  local req = assert(json.parse(args[1]))
  local answer, err = QUESTIONS[req.question](req)
  local out = lanai.map()
  if answer == nil then
    out.error = err.message
  elseif type(answer) == "table" and next(answer) == nil then
    out.answer = lanai.list()
  else
    out.answer = answer
  end
  process.out(json.emit(out))
  return 0
end
