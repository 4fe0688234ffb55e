-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn eval [DIR | -] [flags] [-- args]`: one function over all resources below a directory,
-- packages inside included (cad-library.md §5.1).

local command = require("cli.command")
local disk = require("cli.disk")
local eval = require("lanai.eval")
local files = require("lanai.files")
local functions = require("cli.functions")
local node = require("lanai.node")
local output = require("cli.output")
local pipeline = require("cli.pipeline")
local process = require("lanai.process")
local progress = require("cli.progress")
local reading = require("cli.resources")
local resources = require("lanai.resources")
local tree = require("lanai.tree")

local READ = { annotate = true, wide = true, wrap = true }

-- --- flags ---

local function for_containers(flags)
  return #flags.mount > 0 or #flags.env > 0 or flags.network or flags["as-current-user"]
end

-- What is wrong with the flags, in the order in which kpt looks.
local function check(args, flags, rest)
  if flags.image == "" and flags.exec == "" then
    return "must specify --image or --exec"
  elseif flags.save and flags.type == "" then
    return "--type must be specified if saving functions to Kptfile (--save=true)"
  elseif flags.save and flags.type ~= "mutator" and flags.type ~= "validator" then
    return "--type must be either `mutator` or `validator`"
  elseif #args > 1 then
    return "0 or 1 arguments supported, function arguments go after '--'"
  elseif flags["fn-config"] ~= "" and #rest > 0 then
    return "function arguments can only be specified without function config file"
  elseif flags["fn-config"] ~= "" and not files.kind(flags["fn-config"]) then
    return "missing function config file: " .. flags["fn-config"]
  elseif flags.image == "" and for_containers(flags) then
    return "--mount, --as-current-user, --network and --env can only be used with container "
      .. "functions"
  end
end

-- Pairs of flags that are given as key=value.
local function pairs_of(words, flag)
  if #words == 0 then
    return nil
  end
  local map = node.map()
  for _, word in ipairs(words) do
    local key, value = word:match("^([^=]*)=(.*)$")
    if not key then
      return nil, ("--%s must be given as key=value, not %q"):format(flag, word)
    end
    map[key] = value
  end
  return map
end

-- The selector that the flags of one prefix make, or nil when none is given.
local function selector(flags, prefix)
  local out, any = node.map(), false
  for _, part in ipairs { { "apiVersion", "api-version" }, { "kind", "kind" }, { "name", "name" },
    { "namespace", "namespace" } } do
    local value = flags[prefix .. part[2]]
    if value ~= "" then
      out[part[1]], any = value, true
    end
  end
  for _, member in ipairs { "labels", "annotations" } do
    local map, err = pairs_of(flags[prefix .. member], prefix .. member)
    if err then
      return nil, err
    elseif map then
      out[member], any = map, true
    end
  end
  return any and node.list({ out }) or nil
end

-- --- functionConfig ---

-- A functionConfig of words: a kind, if the first is none of key=value, then data.
local function config_of(words)
  local config = assert(node.parse("metadata:\n  name: function-input\ndata: {}\n"))
  local data, kind = node.map(), "ConfigMap"
  for i, word in ipairs(words) do
    local key, value = word:match("^([^=]*)=(.*)$")
    if key then
      data[key] = value
    elseif i == 1 then
      kind = word
    else
      return nil, "args must have keys and values separated by ="
    end
  end
  config.data = data
  node.set_style(config.data, "flow")
  config.kind = kind
  config.apiVersion = "v1"
  return config
end

-- The one resource of a file.
local function read_config(path)
  local text, err = files.read(path)
  local items
  if text then
    items, err = resources.read({ { path = "config.yaml", text = text } }, READ)
  end
  if not items then
    return nil, ("failed to read functionConfig %q: %s"):format(path,
      (err.message:gsub("^config%.yaml: ", "")))
  elseif #items ~= 1 then
    return nil, ("functionConfig %q must not contain more than one config, got %d"):format(path,
      #items)
  end
  local config = items[1]
  local field = not config.apiVersion and "apiVersion" or not config.kind and "kind"
    or not (config.metadata and config.metadata.name) and "metadata.name"
  if field then
    return nil, ("functionConfig %q: resource must have `%s`"):format(path, field)
  end
  return config
end

-- --- where resources come from and go ---

-- What eval works on: items; for a directory its files, and which of them has the functionConfig.
local function read_input(argument, config_file)
  if argument == "-" then
    local text, err = process.input()
    if not text then
      return nil, err.message
    end
    local items
    items, err = resources.parse(text)
    return items and { items = items }, err and err.message
  end
  local directory, missing = disk.resolve(argument)
  if not directory then
    return nil, missing
  end
  local root, err = disk.load(directory)
  if not root then
    return nil, err.message
  end
  local config_path = config_file and config_file:sub(1, #directory + 1) == directory .. "/"
    and config_file:sub(#directory + 2) or nil
  local list = reading.files(root)
  local items
  items, err = resources.read(list, READ)
  return items and { items = items, files = list, root = root, directory = directory,
    config_path = config_path }, err and err.message
end

-- Files of the directory with what the function made of them.
local function write_back(input, items, compat)
  local after = tree.copy(input.root)
  local ok, err = reading.write(after, input.files, items, compat)
  if not ok then
    return nil, err
  end
  ok, err = disk.save(input.directory, input.root, after)
  input.root = after
  return ok, err
end

-- Puts the function into the pipeline of the Kptfile that is there now.
local function save(input, step, flags)
  local text = input.root:file("Kptfile")
  if not text then
    process.warn("function not added: Kptfile not exists\n")
    return true
  end
  local changed, outcome = pipeline.put(text, flags.type, step, flags.compat)
  if not changed then
    return nil, outcome
  end
  local after = tree.copy(input.root)
  after:set("Kptfile", changed)
  local ok, err = disk.save(input.directory, input.root, after)
  if ok then
    process.warn(("%s %q as %s in the Kptfile.\n"):format(outcome, step.image or step.exec,
      flags.type))
  end
  return ok, err
end

local function put(input, items, flags)
  if flags.output ~= "" then
    return output.put(items, flags.output, flags.compat)
  elseif not input.directory then
    return output.put(items, "stdout", flags.compat)
  end
  return write_back(input, items, flags.compat)
end

local function finish(input, step, made, flags)
  local ok, err = put(input, input.items, flags)
  if ok and flags.save and input.directory then
    ok, err = save(input, made, flags)
  end
  if ok then
    ok, err = progress.save(flags["results-dir"], progress.list(step))
  end
  return ok and 0 or command.usage_error(err.message)
end

-- --- the verb ---

-- functionConfig of the flags; and the file that it is in.
local function find_config(flags, rest)
  if flags["fn-config"] == "" then
    return config_of(rest)
  end
  local path = disk.absolute(flags["fn-config"])
  local config, err = read_config(path)
  return config, err or files.real(path)
end

local function check_places(flags)
  local ok, err = output.check(flags.output)
  if ok then
    ok, err = progress.prepare(flags["results-dir"])
  end
  if ok then
    ok, err = functions.open(flags)
  end
  return ok, err
end

-- What is asked for, {function, input}; or nil and what is wrong.
local function ask(args, flags, rest)
  local err = functions.check(flags) or check(args, flags, rest)
  if err then
    return nil, err
  end
  local ok, config, source
  ok, err = check_places(flags)
  if not ok then
    return nil, err
  end
  local fn = { image = flags.image ~= "" and flags.image or nil,
    exec = flags.image == "" and flags.exec or nil }
  fn.selectors, err = selector(flags, "match-")
  if not err then
    fn.exclude, err = selector(flags, "exclude-")
  end
  if err then
    return nil, err
  end
  config, source = find_config(flags, rest)
  if not config then
    return nil, source
  end
  local input
  input, err = read_input(args[1] or ".", source)
  if not input then
    return nil, err
  elseif flags.save and source and input.directory and not input.config_path then
    return nil, ("--fn-config must be under %s if saving functions to Kptfile (--save=true)")
      :format(input.directory)
  end
  fn.config, fn.config_path = config, input.config_path
  return { fn = fn, input = input }
end

local function run(args, flags, rest)
  local asked, err = ask(args, flags, rest)
  if not asked then
    return command.usage_error(err)
  end
  local fn, input = asked.fn, asked.input
  local step = eval.one { items = input.items, image = fn.image,
    tag = flags.tag ~= "" and flags.tag or nil, exec = fn.exec, config = fn.config,
    selectors = fn.selectors, exclude = fn.exclude, allow_exec = true,
    prefix = functions.prefix(flags), compat = flags.compat,
    on = progress.listener() }
  if step.failure or step.exit_code ~= 0 then
    progress.save(flags["results-dir"], progress.list(step))
    return step.failure and command.usage_error(step.failure) or 1
  end
  fn.image = step.image
  return finish(input, step, fn, flags)
end

-- Flags of container runtimes, which kpt has, too. Functions here see the resources alone.
local FLAGS = functions.flags {
  output = output.FLAG,
  image = { kind = "string", default = "", short = "i", help = "the function, by its image" },
  exec = { kind = "string", default = "", help = "a program with its arguments as the function" },
  save = { kind = "bool", default = false, short = "s",
    help = "save the function to the Kptfile; needs --type" },
  type = { kind = "string", default = "", short = "t",
    help = "mutator or validator: the list that --save changes" },
  ["fn-config"] = { kind = "string", default = "", help = "file of the functionConfig" },
  tag = { kind = "string", default = "", help = "version, or a range of versions: ~0.4" },
  env = { kind = "stringArray", default = {}, short = "e" },
  mount = { kind = "stringArray", default = {} },
  network = { kind = "bool", default = false },
  ["as-current-user"] = { kind = "bool", default = false },
  keywords = { kind = "stringArray", default = {}, short = "k" },
}

for prefix, what in pairs { match = "only", exclude = "no" } do
  for _, part in ipairs { "api-version", "kind", "name", "namespace" } do
    FLAGS[prefix .. "-" .. part] = { kind = "string", default = "",
      help = ("%s resources with this %s"):format(what, part) }
  end
  for _, part in ipairs { "labels", "annotations" } do
    FLAGS[prefix .. "-" .. part] = { kind = "stringArray", default = {},
      help = ("%s resources with these %s: key=value"):format(what, part) }
  end
end

return {
  usage = "eval [DIR | -]",
  summary = "Execute function on resources",
  help = [[
Words behind -- become the functionConfig: key=value, perhaps with a kind in front of them.
With - the resources come from standard input and go to standard output.
]],
  flags = FLAGS,
  rest = true,
  run = run,
}
