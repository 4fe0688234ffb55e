-- SPDX-License-Identifier: Apache-2.0
-- Functions over packages: cases of kpt's and the function catalogue's tests, run by `lanai fn` as
-- a program, in `kpt` mode.
local shell = require("spec.conformance.lib.shell")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local LANAI = os.getenv("LANAI_BUILD") .. "/lanai"
local MOST = 4000 -- characters of what is shown of a difference

-- What a case needs that is not here, as the reason of a skip.
local MISSING = {
  docker = "asserts the behaviour of a container runtime",
  image = "a function that only exists as a container image",
  wasm = "functions in WASM are not run",
  network = "needs the Internet",
}

local function missing(case)
  for _, need in ipairs(case.spec.needs) do
    if MISSING[need] then
      return MISSING[need]
    end
  end
end

-- --- running ---

-- A word for the shell: variables of the case stay variables.
local function quote(word)
  if word:find("%$%l") or word:find("$%u[%u_]*$") then
    return '"' .. word:gsub('[\\"`]', "\\%0") .. '"'
  end
  return shell.quote(word)
end

local function command_of(words, places)
  local quoted = {}
  for i, word in ipairs(words) do
    if i == 1 and word == "kpt" then
      word = LANAI
    end
    quoted[i] = quote((word:gsub("%${(%u+)}", places)))
  end
  return table.concat(quoted, " ")
end

local STEP = {
  pipe = function(list, places)
    local commands = {}
    for i, words in ipairs(list) do
      commands[i] = command_of(words, places)
    end
    return table.concat(commands, " | ")
  end,
  rm = function(path)
    return "rm -rf " .. quote(path)
  end,
  mkdir = function(path)
    return "mkdir -p " .. quote(path)
  end,
  symlink = function(link)
    return ("ln -s %s %s"):format(quote(link.target), quote(link.path))
  end,
  move = function(move)
    return ("mv %s %s"):format(quote(move.from), quote(move.to))
  end,
  tempdir = function(name)
    return ('mkdir -p "$TMP/made/%s"; %s="$TMP/made/%s"'):format(name, name, name)
  end,
  unsetenv = function(name)
    return "unset " .. name
  end,
  note = function()
    return ":"
  end,
}

-- The steps of a case as a shell script; or nil and the step that is not known here.
local function script_of(case, places)
  if not case.spec.steps then
    local words = { "kpt" }
    for word in case.spec.command:gmatch("%S+") do
      words[#words + 1] = word
    end
    return command_of(table.move(case.spec.args, 1, #case.spec.args, #words + 1, words), places)
  end
  local lines = { "set -eo pipefail", "cd " .. shell.quote(places.PKG) }
  for _, step in ipairs(case.spec.steps) do
    local kind, what = next(step)
    if not STEP[kind] then
      return nil, kind
    end
    lines[#lines + 1] = STEP[kind](what, places)
  end
  return table.concat(lines, "\n")
end

local function copy(from, to)
  shell.sh(("mkdir -p %s && cp -r %s/. %s && find %s -name .keep -delete"):format(shell.quote(to),
    shell.quote(from), shell.quote(to), shell.quote(to)))
end

-- The catalogue's cases name images by the tag of its own builds: what a release calls otherwise.
local function retag(case, text)
  local version = case.spec.versions and case.spec.versions[1]
  if not version then
    return text
  end
  return (text:gsub("([%w-]+):unstable", "%1:" .. (version == "head" and "latest" or version)))
end

local function retag_files(case, dir)
  for path, text in pairs(shell.tree(dir)) do
    if text:find(":unstable", 1, true) then
      shell.write(dir .. "/" .. path, retag(case, text))
    end
  end
end

-- Runs a case in a directory; exit code, output, errors and the package's files.
local function run(case, tmp)
  local places = { PKG = tmp .. "/" .. case.spec.pkg_name, RESULTS = tmp .. "/results",
    AUX = case.dir .. "/aux" }
  copy(case.dir .. "/input", places.PKG)
  retag_files(case, places.PKG)
  local script, unknown = script_of(case, places)
  if not script then
    return nil, "a step that " .. unknown .. "s something"
  end
  shell.write(tmp .. "/script", retag(case, script) .. "\n")
  shell.sh(("cd %s && { LANAI_COMPAT=kpt TMP=%s timeout 60 bash %s/script >%s/out 2>%s/err; "
    .. "echo $? >%s/code; }"):format(shell.quote(tmp), shell.quote(tmp), shell.quote(tmp),
    shell.quote(tmp), shell.quote(tmp), shell.quote(tmp)))
  return { code = tonumber(shell.read(tmp .. "/code")), out = shell.read(tmp .. "/out"),
    err = shell.read(tmp .. "/err"), files = shell.tree(places.PKG),
    results = shell.read(places.RESULTS .. "/results.yaml") }
end

-- --- comparing ---

local function lines_of(text)
  local list = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    list[#list + 1] = line
  end
  return list
end

-- RE2 as the patterns of the corpus need it.
local function search(text, pattern)
  local file = os.tmpname()
  shell.write(file, text)
  local found = os.execute(("grep -qzP -- %s %s"):format(shell.quote(pattern), file))
  os.remove(file)
  return found == true
end

local function normal_errors(case, text, tmp)
  local kept, strip = {}, {}
  for _, line in ipairs(case.spec.stderr and case.spec.stderr.strip_lines or {}) do
    strip[line] = true
  end
  for _, line in ipairs(lines_of(text)) do
    local head, duration, rest = line:match("^(%[%u+%] %S+ in )(%S+)(.*)$")
    if head and rest == "" and duration then
      line = head .. "0s"
    end
    kept[#kept + 1] = not strip[line] and line:gsub(tmp:gsub("%p", "%%%0") .. "/", "") or nil
  end
  return table.concat(kept, "\n")
end

-- What differs between two texts, as lines.
local function difference(is, want)
  return shell.with_tmp(function(tmp)
    shell.write(tmp .. "/is", is)
    shell.write(tmp .. "/expected", want)
    return shell.sh(("cd %s && diff -u expected is || true"):format(tmp)):sub(1, MOST)
  end)
end

-- The lines of a difference that only one side has.
local function changes(text)
  local list = {}
  for _, line in ipairs(lines_of(text)) do
    if line:find("^[+-]") and not line:find("^%-%-%- ") and not line:find("^%+%+%+ ") then
      list[#list + 1] = line:sub(1, 1) .. line:sub(2):match("^%s*(.*)$")
    end
  end
  return table.concat(list, " ")
end

-- Outcomes that deviations.md describes, by case: its id, and what differs.
local KNOWN = {
  ["kpt-fn/fn-render/krm-check-exclude-kustomize"] = { "labels-by-kind",
    "-- message: set 8 labels in total +- message: set 5 labels in total "
      .. "-spec: -selector: -tier: backend -matchLabels: -tier: backend" },
  ["kpt-fn/package-examples/ghost"] = { "count-of-labels",
    "-- message: set 9 labels in total +- message: set 8 labels in total" },
}

local function check_text(what, expected, is)
  if expected and expected.contains and not is:find(expected.contains, 1, true) then
    return what .. "\n" .. difference(is, expected.contains)
  elseif expected and expected.regex and not search(is, expected.regex) then
    return ("%s is\n%s\nexpected a match of %s"):format(what, is:sub(1, MOST), expected.regex)
  end
end

local function sorted(text)
  local lines = lines_of(text)
  table.sort(lines)
  return table.concat(lines, "\n")
end

-- A printed list without its Kptfiles.
local function without_kptfiles(list)
  local kept, keep = {}, true
  for _, line in ipairs(lines_of(list)) do
    if line:sub(1, 2) == "- " then
      keep = line ~= "- apiVersion: kpt.dev/v1"
    end
    kept[#kept + 1] = keep and line or nil
  end
  return table.concat(kept, "\n")
end

-- Ids of deviations.md that explain why a printed list is another one.
local function printed_deviation(case, out)
  local want = case.spec.stdout and case.spec.stdout.contains
  if not want or out:find(want, 1, true) then
    return nil
  elseif without_kptfiles(out):find(want, 1, true) then
    return "meta-resources-in-source"
  end
  local same = sorted(out):gsub("^\n+", "") == sorted(want):gsub("^\n+", "")
  return same and "order-of-printed-resources" or nil
end

-- Cases of the catalogue are from before renders left their outcome in the Kptfile.
local function without_status(case, path, text)
  local before = shell.read(case.dir .. "/input/" .. path)
  if not case.spec.kpt_era or path ~= "Kptfile" or not before
    or before:find("\nstatus:", 1, true) then
    return text
  end
  return (text:gsub("\nstatus:\n.*$", "\n"))
end

local function without_lines(text, pattern)
  if not pattern then
    return text
  end
  local kept = {}
  for _, line in ipairs(lines_of(text)) do
    kept[#kept + 1] = not search(line, pattern) and line or nil
  end
  return table.concat(kept, "\n")
end

-- The files that differ, or nil.
local function check_files(case, files)
  local tree = case.spec.tree == "expected" and "/expected" or "/input"
  local expected = shell.tree(case.dir .. tree)
  local ignored, all, texts = case.spec.tree_ignore_lines, {}, {}
  for path in pairs(files) do
    all[path] = true
  end
  for path in pairs(expected) do
    all[path] = path:match("[^/]+$") ~= ".keep" or nil
  end
  for path in pairs(all) do
    local is, want = files[path], expected[path]
    if not is or not want then
      texts[#texts + 1] = path .. (is and " is there" or " is missing")
    else
      is = without_lines(without_status(case, path, is), ignored)
      want = without_lines(retag(case, want), ignored)
      texts[#texts + 1] = is ~= want and path .. "\n" .. difference(is, want) or nil
    end
  end
  table.sort(texts)
  return #texts > 0 and table.concat(texts, "\n") or nil
end

local function trim(text)
  return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

-- Results of the catalogue are compared by what they say.
local function items_of(text)
  local list = {}
  for _, item in ipairs(yaml.parse(text).items or {}) do
    for _, result in ipairs(item.results or {}) do
      list[#list + 1] = ("%s %s %s %s"):format(result.severity or "info", result.message,
        result.file and result.file.path or "", result.field and result.field.path or "")
    end
  end
  return table.concat(list, "\n")
end

local function check_results(case, is)
  if not yaml.given(case.spec.results) then
    return nil
  end
  local want = shell.read(case.dir .. "/" .. case.spec.results)
  if not is then
    return "results.yaml is missing"
  end
  if case.spec.kpt_era then
    is, want = items_of(is), items_of(want)
  else
    for _, line in ipairs(case.spec.results_strip_lines or {}) do
      is = is:gsub(line:gsub("%p", "%%%0") .. "\n", "")
    end
    is, want = trim(is), trim(want)
  end
  return is ~= want and "results\n" .. difference(is .. "\n", want .. "\n") or nil
end

-- What is wrong, or nil.
local function check(case, got, tmp, deviation)
  local err = normal_errors(case, got.err, tmp)
  if got.code ~= case.spec.exit then
    return ("exit code %d, expected %d\n%s"):format(got.code, case.spec.exit, err)
  end
  return check_files(case, got.files) or check_results(case, got.results)
    or not case.spec.kpt_era and (check_text("stderr", case.spec.stderr, err)
      or not deviation and check_text("stdout", case.spec.stdout, got.out)) or nil
end

local function run_case(case)
  local reason = missing(case)
  if reason then
    return nil, reason
  end
  return shell.with_tmp(function(tmp)
    local got, unknown = run(case, tmp)
    if not got then
      return nil, unknown
    end
    local deviation, known = printed_deviation(case, got.out), KNOWN[case.id]
    local wrong = check(case, got, tmp, deviation)
    if wrong and known and changes(wrong) == known[2] then
      return true, nil, known[1]
    end
    return not wrong, wrong, deviation
  end)
end

M["fn render"] = run_case
M["fn eval"] = run_case
M["steps"] = run_case

return M
