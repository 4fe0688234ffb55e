-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai pkg tree [DIR]`

local command = require("cli.command")
local disk = require("cli.disk")
local files = require("lanai.files")
local ignore = require("lanai.ignore")
local location = require("lanai.location")
local package = require("lanai.package")
local process = require("lanai.process")
local resources = require("lanai.resources")

local function is_resource_file(path)
  return path:find("%.ya?ml$") ~= nil or path:match("[^/]+$") == "Kptfile"
end

-- Directory and last name of a path.
local function split(path)
  local directory, name = path:match("^(.*)/([^/]+)$")
  return directory or ".", name or path
end

local function metadata(item, key)
  local map = item.metadata
  return map and map[key] or ""
end

local PATH = "internal.config.kubernetes.io/path"

local ORDER = {
  function(leaf)
    return leaf.file
  end,
  function(leaf)
    return leaf.namespace
  end,
  function(leaf)
    return leaf.name
  end,
  function(leaf)
    return leaf.kind
  end,
  function(leaf)
    return leaf.version
  end,
}

local function before(a, b)
  for _, key in ipairs(ORDER) do
    if key(a) ~= key(b) then
      return key(a) < key(b)
    end
  end
  return a.at < b.at
end

-- Directory → its resources in display order.
local function index(items)
  local found = {}
  for at, item in ipairs(items) do
    if item.kind and item.kind ~= "" then
      local directory, file = split(item.metadata.annotations[PATH])
      found[directory] = found[directory] or {}
      table.insert(found[directory], { at = at, file = file, kind = item.kind,
        version = item.apiVersion or "", name = metadata(item, "name"),
        namespace = metadata(item, "namespace") })
    end
  end
  for _, leaves in pairs(found) do
    table.sort(leaves, before)
  end
  return found
end

-- Adds files without resources to the nearest directory that is shown.
local function add_other_files(root, shown)
  root:walk(function(path, below)
    local directory, name = split(path)
    if name:sub(1, 1) == "." then
      return false
    elseif below or name == "Kptfile" then
      return true
    end
    while not shown[directory] and directory ~= "." do
      directory = split(directory)
    end
    shown[directory] = shown[directory] or {}
    local relative = directory == "." and path or path:sub(#directory + 2)
    for _, leaf in ipairs(shown[directory]) do
      if leaf.file == relative then
        return true
      end
    end
    table.insert(shown[directory], { file = relative })
  end)
end

-- The nearest directory above that is shown; "" for none but the top.
local function parent_of(directory, shown)
  local above = split(directory)
  while above ~= "." and not shown[above] do
    above = split(above)
  end
  return above
end

local function text_of(leaf)
  if not leaf.kind then
    return leaf.file
  end
  local name = leaf.namespace ~= "" and leaf.namespace .. "/" .. leaf.name or leaf.name
  return ("[%s]  %s %s"):format(leaf.file, leaf.kind, name)
end

local function title(root, directory, name)
  return package.is_package(root:directory(directory)) and ("Package %q"):format(name) or name
end

-- Lines of one directory and those below.
local function draw(root, shown, children, directory, indent, lines)
  local rows = {}
  for _, leaf in ipairs(shown[directory] or {}) do
    rows[#rows + 1] = { text = text_of(leaf) }
  end
  for _, child in ipairs(children[directory] or {}) do
    rows[#rows + 1] = { text = title(root, child, child:match("[^/]+$")), directory = child }
  end
  for i, row in ipairs(rows) do
    local last = i == #rows
    lines[#lines + 1] = indent .. (last and "└── " or "├── ") .. row.text
    if row.directory then
      draw(root, shown, children, row.directory, indent .. (last and "    " or "│   "), lines)
    end
  end
end

local function children_of(shown)
  local names, children = {}, {}
  for directory in pairs(shown) do
    names[#names + 1] = directory
  end
  table.sort(names)
  for _, directory in ipairs(names) do
    if directory ~= "." then
      local above = parent_of(directory, shown)
      children[above] = children[above] or {}
      table.insert(children[above], directory)
    end
  end
  return children
end

local function run(args)
  local directory, missing = disk.resolve(args[1] or ".")
  if not directory then
    return command.usage_error(missing)
  end
  local root, err = disk.load(directory)
  if not root then
    return command.fail(err)
  end
  local list = {}
  for _, path in ipairs(ignore.files(root)) do
    if is_resource_file(path) then
      list[#list + 1] = { path = path, text = root:file(path) }
    end
  end
  local items
  items, err = resources.read(list, { annotate = true, wrap = true })
  if not items then
    return command.fail(err)
  end
  local shown = index(items)
  add_other_files(root, shown)
  local name = location.base(args[1] and location.clean(args[1]) ~= "." and args[1]
    or assert(files.real(".")))
  local lines = { title(root, ".", name) }
  draw(root, shown, children_of(shown), ".", "", lines)
  process.out(table.concat(lines, "\n") .. "\n")
  return 0
end

return {
  usage = "tree [DIR]",
  summary = "Display resources, files and packages in a tree structure.",
  max = 1,
  run = run,
}
