-- SPDX-License-Identifier: Apache-2.0
--
-- What the verbs of the command line share: flags, help texts, and how errors are said. The words
-- are those that users of kpt know.

local lanai = require("lanai")
local process = require("lanai.process")

local M = {}

--- @class lanai.Command
--- @field usage string what stands behind "lanai GROUP"
--- @field summary string
--- @field help string|nil
--- @field flags table<string, {kind: string, default: any, help: string, short: string?}>|nil
--- @field min integer|nil number of arguments
--- @field max integer|nil
--- @field rest boolean|nil words behind "--" are not arguments: they come as the third parameter
--- @field run fun(args: string[], flags: table, rest: string[]): integer

-- Flags that every verb takes. Those without help are kpt's and mean nothing here.
local GLOBAL = {
  compat = { kind = "string", default = "",
    help = "write files as kpt does (kpt) or keep what did not change (lanai); or LANAI_COMPAT" },
  help = { kind = "bool", default = false, short = "h", help = "show this text" },
  kubeconfig = { kind = "string" },
  ["log-flush-frequency"] = { kind = "string" },
  ["truncate-output"] = { kind = "bool" },
  v = { kind = "string", short = "v" },
}

--- Says an error of the verb itself and gives its exit code.
--- @param text string
--- @return integer
function M.usage_error(text)
  process.warn("error: " .. text .. "\n")
  return 1
end

-- Words for what can be wrong with a Kptfile.
local function kptfile_error(err, where)
  if err.missing then
    return ("Error: No Kptfile found at %q."):format(where)
  end
  local version = err.cause:match('^old resource version "(.-)" found in Kptfile')
  if version then
    return ("Error: Kptfile at %q has an old version (%q) of the Kptfile schema.\n"
      .. "Please update the package to the latest format by following "
      .. "https://kpt.dev/installation/migration."):format(where, version)
  end
  local kind = err.cause:match('^unknown resource type "(.-)" found in Kptfile')
  if kind then
    return ("Error: Kptfile at %q has an unknown resource type (%q)."):format(where, kind)
  end
  return ("Error: Kptfile at %q can't be read.\n\nDetails:\n%s"):format(where, err.cause)
end

--- Says an error of the library and gives the exit code. `root` is the directory that its paths are
--- below.
--- @param err lanai.Error
--- @param root string|nil
--- @return integer
function M.fail(err, root)
  local text = "Error: " .. err.message
  if err.kptfile then
    local where = err.where or (root or ".") .. (err.kptfile == "." and "" or "/" .. err.kptfile)
    text = kptfile_error(err, where)
  end
  process.warn(text .. " \n")
  return 1
end

local function parse_bool(name, text)
  local values = { ["1"] = true, t = true, T = true, ["true"] = true, TRUE = true, True = true,
    ["0"] = false, f = false, F = false, ["false"] = false, FALSE = false, False = false }
  if values[text] == nil then
    return nil, ("invalid argument %q for %q flag: strconv.ParseBool: parsing %q: invalid syntax")
      :format(text, name, text)
  end
  return values[text]
end

local function find_short(flags, letter)
  for name, flag in pairs(flags) do
    if flag.short == letter then
      return name, flag
    end
  end
end

local function store(values, name, flag, text)
  if flag.kind == "bool" then
    local value, err = parse_bool("--" .. name, text or "true")
    if value == nil then
      return err
    end
    values[name] = value
  elseif flag.kind == "stringArray" then
    values[name] = values[name] or {}
    table.insert(values[name], text)
  elseif flag.kind == "list" then
    values[name] = values[name] or {}
    for _, part in ipairs(lanai.split(text, ",")) do
      table.insert(values[name], part)
    end
  else
    values[name] = text
  end
end

-- Name, flag and value of a word that begins with "-"; or nil and what is wrong.
local function take_flag(flags, words, at)
  local word = words[at]
  local name, text = word:match("^%-%-([^=]*)=(.*)$")
  name = name or word:match("^%-%-(.+)$")
  local flag = name and flags[name]
  if not name then
    local letter, rest = word:match("^%-(.)(.*)$")
    name, flag = find_short(flags, letter)
    text = rest ~= "" and (rest:gsub("^=", "")) or nil
    if not flag then
      return nil, ("unknown shorthand flag: %q in %s"):format(letter, word):gsub('"', "'")
    end
  elseif not flag then
    return nil, "unknown flag: --" .. name
  end
  if not text and flag.kind ~= "bool" then
    at = at + 1
    text = words[at]
    if not text then
      return nil, "flag needs an argument: " .. word
    end
  end
  return name, flag, text, at
end

local function all_flags(command)
  local flags = {}
  for _, set in ipairs { GLOBAL, command.flags or {} } do
    for name, flag in pairs(set) do
      flags[name] = flag
    end
  end
  return flags
end

-- Splits words into arguments, flags, and what stands behind "--".
local function parse(command, words)
  local flags, values, args, rest = all_flags(command), {}, {}, {}
  local at = 1
  while at <= #words do
    local word = words[at]
    if word == "--" then
      local behind = command.rest and rest or args
      table.move(words, at + 1, #words, #behind + 1, behind)
      break
    elseif #word > 1 and word:sub(1, 1) == "-" then
      local name, flag, text, last = take_flag(flags, words, at)
      local err = not name and flag or store(values, name, flag, text)
      if err then
        return nil, err
      end
      at = last
    else
      args[#args + 1] = word
    end
    at = at + 1
  end
  for name, flag in pairs(flags) do
    if values[name] == nil then
      values[name] = flag.default
    end
  end
  return args, values, rest
end

local function check_count(command, n)
  if n < (command.min or 0) then
    return ("requires at least %d arg(s), only received %d"):format(command.min, n)
  elseif command.max and n > command.max then
    return ("accepts at most %d arg(s), received %d"):format(command.max, n)
  end
end

local function check_compat(values)
  if values.compat == "" then
    values.compat = process.env("LANAI_COMPAT") or ""
  end
  if values.compat == "" then
    values.compat = "lanai"
  end
  if values.compat ~= "kpt" and values.compat ~= "lanai" then
    return ("invalid argument %q for \"--compat\" flag: must be kpt or lanai")
      :format(values.compat)
  end
end

local function print_help(group, command)
  local lines = { command.summary, "", "Usage:", "  lanai " .. group .. " " .. command.usage
    .. " [flags]", "" }
  if command.help then
    lines[#lines + 1] = command.help
  end
  lines[#lines + 1] = "Flags:"
  for name, flag in lanai.sorted_pairs(all_flags(command)) do
    if flag.help then
      local head = (flag.short and "-" .. flag.short .. ", " or "    ") .. "--" .. name
        .. (flag.kind == "bool" and "" or " " .. flag.kind)
      local default = type(flag.default) == "string" and flag.default ~= ""
        and (" (default %q)"):format(flag.default) or ""
      lines[#lines + 1] = ("  %-28s %s%s"):format(head, flag.help, default)
    end
  end
  process.out(table.concat(lines, "\n") .. "\n")
  return 0
end

--- Runs one verb.
--- @param group string
--- @param command lanai.Command
--- @param words string[]
--- @return integer
function M.run(group, command, words)
  local args, values, rest = parse(command, words)
  if not args then
    return M.usage_error(values)
  elseif values.help then
    return print_help(group, command)
  end
  local wrong = check_compat(values) or check_count(command, #args)
  if wrong then
    return M.usage_error(wrong)
  end
  return command.run(args, values, rest)
end

--- Makes the entry of a group of verbs.
--- @param group string
--- @param summary string
--- @param names string[] in the order of the help text
--- @return fun(words: string[]): integer
function M.group(group, summary, names)
  return function(words)
    local known = {}
    for _, name in ipairs(names) do
      known[name] = true
    end
    if known[words[1]] then
      return M.run(group, require("cli." .. group .. "." .. words[1]),
        table.move(words, 2, #words, 1, {}))
    end
    local lines = { summary, "", "Usage:", "  lanai " .. group .. " VERB [flags]", "",
      "Verbs:" }
    for _, name in ipairs(names) do
      local verb = require("cli." .. group .. "." .. name)
      lines[#lines + 1] = ("  %-8s %s"):format(name, verb.summary)
    end
    local text = table.concat(lines, "\n") .. "\n"
    if words[1] and words[1] ~= "--help" and words[1] ~= "-h" then
      process.warn(("error: unknown verb %q\n\n"):format(words[1]) .. text)
      return 1
    end
    process.out(text)
    return 0
  end
end

return M
