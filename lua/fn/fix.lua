-- SPDX-License-Identifier: Apache-2.0
--
-- fix: packages of older kpt versions (Kptfile v1alpha1, v1alpha2) become v1.

local item = require("lanai.item")
local migrate = require("lanai.migrate")
local node = require("lanai.node")
local quote = require("lanai.quote")

local API = "kpt.dev/v1"
local FUNCTIONS = { "config.kubernetes.io/function", "config.k8s.io/function" }
local PATHS = { "internal.config.kubernetes.io/path", "config.kubernetes.io/path" }

local function directory(path)
  return path:match("^(.*)/[^/]*$") or "."
end

local function join(dir, name)
  return dir == "." and name or dir .. "/" .. name
end

-- File → directory of its package, for all files but Kptfiles.
local function packages_of(items)
  local kptfiles, packages = {}, {}
  for i = 1, #items do
    local path = item.path(items[i]) or ""
    if path:match("[^/]*$") == "Kptfile" then
      kptfiles[directory(path)] = true
    end
  end
  for i = 1, #items do
    local path = item.path(items[i]) or ""
    local dir = directory(path)
    while not kptfiles[dir] and dir ~= "." do
      dir = directory(dir)
    end
    packages[path] = kptfiles[dir] and path:match("[^/]*$") ~= "Kptfile" and dir or nil
  end
  return packages
end

-- --- functions that were resources -------------------------------------------------------

local function image_of(resource)
  for _, name in ipairs(FUNCTIONS) do
    local text = item.annotation(resource, name)
    local spec = text and node.parse(text)
    if node.is_map(spec) then
      return item.text(item.map(spec, "container"), "image") or ""
    end
  end
  return nil
end

-- Makes resources with a function annotation the configurations of pipeline functions, a file each.
local function take_functions(job, dir)
  local list = {}
  for i = 1, #job.items do
    local resource = job.items[i]
    local image = job.packages[item.path(resource) or ""] == dir and image_of(resource)
    if image then
      local file = item.name(resource) .. ".yaml"
      list[#list + 1] = { image = image, file = file }
      local annotations = resource.metadata.annotations
      for _, name in ipairs(PATHS) do
        if annotations[name] ~= nil then
          node.set(annotations, name, join(dir, file))
        end
      end
      for _, name in ipairs(FUNCTIONS) do
        node.remove(annotations, name)
      end
    end
  end
  return list
end

-- --- setters -----------------------------------------------------------------------------

-- A list in flow style becomes one below each other.
local function block_list(text)
  local list = text:sub(1, 1) == "[" and node.parse(text)
  if not node.is_list(list) then
    return text
  end
  node.set_style(list, "plain")
  return node.emit(list)
end

local function setters_config(job, setters, dir)
  local names, data = {}, node.map()
  for name in pairs(setters) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    data[name] = block_list(setters[name])
  end
  local metadata, annotations = node.map(), node.map()
  metadata.name = job.setters
  for _, name in ipairs(PATHS) do
    annotations[name] = join(dir, job.setters .. ".yaml")
    annotations[name:gsub("path$", "index")] = "0"
  end
  metadata.annotations = annotations
  local config = node.map()
  config.apiVersion = "v1"
  config.kind = "ConfigMap"
  config.metadata = metadata
  config.data = data
  job.made[#job.made + 1] = config
end

-- --- Kptfiles ----------------------------------------------------------------------------

-- Copies texts that are there and not empty; names are {from, to} in order.
local function copy_texts(from, names)
  local map = node.map()
  for _, name in ipairs(names) do
    local text = item.text(from, name[1])
    if text and text ~= "" then
      map[name[2]] = text
    end
  end
  return map
end

local function info_of(old)
  local info = copy_texts(old, { { "url", "site" } })
  local email = item.text(old, "email") or ""
  if email ~= "" then
    info.emails = node.list({ email })
  end
  for key, value in pairs(copy_texts(old, { { "license", "license" },
    { "shortDescription", "description" } })) do
    info[key] = value
  end
  if node.is_list(old.tags) and #old.tags > 0 then
    info.keywords = old.tags
  end
  for key, value in pairs(copy_texts(old, { { "man", "man" } })) do
    info[key] = value
  end
  return info
end

local GIT = { { "repo", "repo" }, { "directory", "directory" }, { "ref", "ref" } }
local LOCK = { GIT[1], GIT[2], GIT[3], { "commit", "commit" } }

local function origin(old, names)
  local map = copy_texts(old, { { "type", "type" } })
  local git = item.map(old, "git")
  map.git = git and copy_texts(git, names) or node.map()
  return map
end

local function pipeline_of(job, functions, has_setters)
  local mutators = node.list()
  if has_setters then
    mutators[1] = node.map({ image = job.apply_setters })
    mutators[1].configPath = job.setters .. ".yaml"
  end
  for _, f in ipairs(functions) do
    local mutator = node.map()
    mutator.image = f.image
    mutator.configPath = f.file
    mutators[#mutators + 1] = mutator
  end
  local pipeline = node.map()
  if #mutators > 0 then
    pipeline.mutators = mutators
  end
  return pipeline
end

local KEPT = { "apiVersion", "kind", "metadata", "upstream", "upstreamLock", "info", "pipeline",
  "inventory" }

-- Puts the new members where they belong and drops what v1 does not have.
local function rebuild(kptfile, new)
  local known = {}
  for _, key in ipairs(KEPT) do
    known[key] = true
    if new[key] then
      node.set(kptfile, key, new[key])
    end
  end
  for _, key in ipairs(node.keys(kptfile)) do
    if not known[key] then
      node.remove(kptfile, key)
    end
  end
  node.reorder(kptfile, KEPT)
end

local function fix_v1alpha1(job, kptfile, path, functions)
  local new = {}
  local old_info, old_upstream = item.map(kptfile, "packageMetadata"), item.map(kptfile, "upstream")
  if old_info then
    new.info = info_of(old_info)
    job:say(path, 'Transformed "packageMetadata" to "info"')
  end
  if old_upstream then
    new.upstream, new.upstreamLock = origin(old_upstream, GIT), origin(old_upstream, LOCK)
    new.upstream.updateStrategy = "resource-merge"
    job:say(path, 'Transformed "upstream" to "upstream" and "upstreamLock"')
  end
  local setters, message = migrate.setters(migrate.definitions(kptfile))
  if not setters then
    return message
  end
  for _, f in ipairs(functions) do
    job:say(path, ("Added %s to mutators list, please move it to validators section if it is a "
      .. "validator function"):format(quote(f.image)))
  end
  local has_setters = next(setters) ~= nil
  if has_setters then
    setters_config(job, setters, directory(path))
    job:say(path, 'Transformed "openAPI" definitions to "apply-setters" function')
  end
  new.pipeline = pipeline_of(job, functions, has_setters)
  node.set(kptfile, "apiVersion", API)
  rebuild(kptfile, new)
end

local function fix_v1alpha2(job, kptfile, path)
  node.set(kptfile, "apiVersion", API)
  job:say(path, "Updated apiVersion to " .. API)
  local pipeline = item.map(kptfile, "pipeline")
  local mutators = pipeline and pipeline.mutators
  for i = 1, node.is_list(mutators) and #mutators or 0 do
    local values = item.map(mutators[i], "configMap")
    local image = item.text(mutators[i], "image") or ""
    if values and #values > 0 and image:find("gcr.io/kpt-fn/apply-setters:", 1, true) then
      local setters = {}
      for _, name in ipairs(node.keys(values)) do
        setters[name] = item.text(values, name) or ""
      end
      setters_config(job, setters, directory(path))
      node.rename(mutators[i], "configMap", "configPath")
      node.set(mutators[i], "configPath", job.setters .. ".yaml")
      job:say(join(directory(path), job.setters .. ".yaml"),
        "Moved setters from configMap to configPath")
    end
  end
end

local function fix_kptfile(job, kptfile)
  local path = item.path(kptfile) or ""
  local functions = take_functions(job, directory(path))
  local api = item.text(kptfile, "apiVersion") or ""
  if api:find("v1alpha2", 1, true) then
    return fix_v1alpha2(job, kptfile, path)
  elseif api == API then
    job:say(path, "This package is already fixed as it is on latest apiVersion " .. API)
    return nil
  elseif api ~= "kpt.dev/v1alpha1" then
    return "please make sure the package has a valid 'v1alpha1' Kptfile: apiVersion is "
      .. quote(api)
  end
  return fix_v1alpha1(job, kptfile, path, functions)
end

-- --- comments ----------------------------------------------------------------------------

local function fix_list(parent, key)
  local comment = node.key_comment(parent, key, "line")
  local pattern = comment and migrate.list_pattern(comment)
  if pattern then
    node.set_key_comment(parent, key, "line", "# kpt-set: " .. pattern)
  end
end

-- Sets the pattern of the first comment that means one.
local function fix_scalar(value, parent, key, definitions)
  local comments = { node.comment(value, "line"), node.comment(value, "head") }
  if type(key) == "string" then
    comments[#comments + 1] = node.key_comment(parent, key, "line")
    comments[#comments + 1] = node.key_comment(parent, key, "head")
  end
  for _, comment in pairs(comments) do
    local pattern, message = migrate.pattern(comment, definitions)
    if message then
      return message
    elseif pattern then
      node.set_comment(value, "line", "# kpt-set: " .. pattern)
      return nil
    end
  end
end

local function fix_comments(resource, definitions)
  for _, value, parent, key in node.walk(resource) do
    local kind, message = node.kind(value), nil
    if kind == "list" then
      if type(key) == "string" and #value > 0 then
        fix_list(parent, key)
      end
    elseif kind ~= "map" and kind ~= "alias" then
      message = fix_scalar(value, parent, key, definitions)
    end
    if message then
      return message
    end
  end
end

-- --- the package -------------------------------------------------------------------------

local Job = {}
Job.__index = Job

function Job:say(path, message)
  self.results[#self.results + 1] = { message = message, file = { path = path } }
end

local INVENTORY = "cli-utils.sigs.k8s.io/inventory-id"

local function fix(job)
  local definitions, found = {}, false
  for i = 1, #job.items do
    if item.text(job.items[i], "kind") == "Kptfile" then
      local kept = migrate.definitions(job.items[i])
      definitions[directory(item.path(job.items[i]) or "")] = kept and node.copy(kept)
    end
  end
  for i = 1, #job.items do
    local resource, message = job.items[i], nil
    local path = item.path(resource) or ""
    if item.text(resource, "kind") == "Kptfile" then
      found = true
      message = fix_kptfile(job, resource)
    elseif item.text(item.map(item.map(resource, "metadata"), "labels"), INVENTORY) then
      job:say(path, "Please refer to https://googlecontainertools.github.io/kpt/reference/live/"
        .. 'alpha/, this package is using "inventory-object"')
    else
      message = fix_comments(resource, definitions[job.packages[path] or ""])
    end
    if message then
      return message
    end
  end
  return not found and "Kptfile not found in directory tree, make sure you specify "
    .. "'--include-meta-resources' flag" or nil
end

local function run(items, _, out)
  local named = out:at_least("v0.2.1")
  local job = setmetatable({ items = items, packages = packages_of(items), results = {}, made = {},
    setters = named and "setters" or "setters-config",
    apply_setters = "gcr.io/kpt-fn/apply-setters:v0.1" }, Job)
  local message = fix(job)
  if message then
    out:result({ message = "failed to fix package: " .. message, severity = "error" })
    return nil, message
  end
  for _, config in ipairs(job.made) do
    items[#items + 1] = config
  end
  for _, result in ipairs(job.results) do
    out:result(result)
  end
  return true
end

return {
  api = 1,
  name = "fix",
  versions = { "v0.1.0", "v0.2.0", "v0.2.1" },
  images = { "fix" },
  summary = "Brings packages of older kpt versions to Kptfile v1.",
  doc = [[
Kptfiles of v1alpha1 and v1alpha2 become kpt.dev/v1: packageMetadata becomes info, upstream becomes
upstream and upstreamLock, openAPI setters become apply-setters with the values in setters.yaml,
resources with a function annotation become functions of the pipeline, and comments like
`# {"$kpt-set":"name"}` become `# kpt-set: ${name}`. A package that is on v1 stays as it is. Has no
configuration.
]],
  config = {},
  pure = true,
  run = run,
}
