-- SPDX-License-Identifier: Apache-2.0
-- The conformance cases through the runner. The cases are
-- in the directory that LANAI_CONFORMANCE names, or in ../shared/conformance.

local CATEGORIES = { "porch-fixtures", "porch-data", "porch-tables/util", "porch-tables/api",
  "porch-tables/registry", "porch-tables/repository", "porch-tables/engine", "porch-tables/git",
  "porch-tables/cli", "porch-tables/e2e", "porch-tables/task",
  "yaml", "tables", "kpt-pkg", "kpt-tables", "kpt-fn",
  "merge/kyaml-merge2", "merge/kyaml-merge3", "merge/kptfile-merge", "merge/kptfile-update",
  "merge/kpt-nonkrm", "merge/kpt-merge3",
  "merge/kpt-updater", "merge/kpt-pkg-update", "corpus/merge-real" }

local function exists(path)
  local f = io.open(path, "rb")
  if f then
    f:close()
  end
  return f ~= nil
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function run(words)
  local pipe = assert(io.popen("spec/conformance/run " .. words .. " 2>&1"))
  local out = pipe:read("a")
  return out, pipe:close() == true
end

local cases = os.getenv("LANAI_CONFORMANCE")
cases = cases and cases ~= "" and cases or "../shared/conformance"

describe("conformance", function()
  for _, category in ipairs(CATEGORIES) do
    if exists(cases .. "/INDEX.tsv") then
      it("passes every case of " .. category .. " that it can run", function()
        local out, ok = run(("--cases %s %s"):format(quote(cases), category))
        assert(ok, out)
        assert.matches("%d+ passed, 0 failed, %d+ skipped\n$", out)
      end)
    else
      pending("passes every case of " .. category .. ": no cases in '" .. cases .. "'")
    end
  end
end)

describe("the conformance runner", function()
  local dir

  local function write(path, text)
    os.execute("mkdir -p " .. quote((dir .. "/" .. path):match("^(.*)/")))
    local f = assert(io.open(dir .. "/" .. path, "wb"))
    f:write(text)
    f:close()
  end

  local function parse_case(name, expected)
    write("porch-tables/util/" .. name .. "/case.yaml",
      "op: porch.util.parse-pkgrev-name\nparams:\n  pkgRevId: r.p.w\n  expected: " .. expected
      .. "\n")
  end

  before_each(function()
    dir = os.tmpname()
    os.remove(dir)
  end)

  after_each(function()
    os.execute("rm -rf " .. quote(dir))
  end)

  it("counts passed, failed and skipped cases and says why", function()
    parse_case("right", "[r, p, w]")
    parse_case("wrong", "[r, q, w]")
    write("porch-tables/util/odd/case.yaml", "op: porch.util.unheard-of\nparams: {}\n")
    write("porch-tables/util/right/_context/case.yaml", "op: none\n")
    local out, ok = run("--cases " .. quote(dir))
    assert.is_false(ok)
    assert.matches("FAILED porch%-tables/util/wrong\n  part 2 of 'r.p.w' is 'p', expected 'q'", out)
    assert.matches("skipped 1: lanai has no part yet that porch.util.unheard%-of", out)
    assert.matches("\n1 passed, 1 failed, 1 skipped\n$", out)
  end)

  it("fails a case whose handler raises", function()
    write("porch-tables/util/broken/case.yaml", "op: porch.util.parse-pkgrev-name\nparams: {}\n")
    local out, ok = run("--cases " .. quote(dir))
    assert.is_false(ok)
    assert.matches("\n0 passed, 1 failed, 0 skipped\n$", out)
  end)

  it("runs only the categories that are named", function()
    parse_case("right", "[r, p, w]")
    write("porch-tables/utility/x/case.yaml", "op: none\n")
    local out, ok = run("--cases " .. quote(dir) .. " porch-tables/util")
    assert.is_true(ok)
    assert.matches("\n1 passed, 0 failed, 0 skipped\n$", out)
  end)

  it("refuses a directory without cases, and unknown flags", function()
    local out, ok = run("--cases " .. quote(dir))
    assert.is_false(ok)
    assert.matches("conformance: cannot read", out)
    out, ok = run("--what")
    assert.is_false(ok)
    assert.matches("unknown flag '%-%-what'", out)
  end)

  -- What upstream changes in a container that was deleted here.
  local function merge_case(expected)
    local container = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n"
      .. "      containers:\n      - name: foo\n        image: foo:bar\n"
    local sides = { origin = container, update = container .. "        command: [run.sh]\n",
      ["local"] = "apiVersion: apps/v1\nkind: Deployment\n", expected = expected }
    local lines = { "op: kyaml.merge3", "params: {infer: false}", "files:" }
    for side, content in pairs(sides) do
      write("merge/kyaml-merge3/new/" .. side .. ".yaml", content)
      lines[#lines + 1] = ("  %s: %s.yaml"):format(side, side)
    end
    write("merge/kyaml-merge3/new/case.yaml", table.concat(lines, "\n") .. "\n")
  end

  it("fails a case that the default mode answers differently without a record", function()
    merge_case("apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n"
      .. "      containers:\n      - command: [run.sh]\n        name: foo\n")
    local out, ok = run("--cases " .. quote(dir))
    assert.is_false(ok)
    assert.matches("default/merge%-kyaml%-merge3.diff does not have it:\n.*%+ +image: foo:bar", out)
  end)

  it("has a case and known reasons for every record of the default mode", function()
    local doc = assert(io.open("spec/conformance/deviations.md")):read("a")
    local records = assert(io.popen("cat spec/conformance/default/*.diff")):read("a")
    local seen = 0
    for id, reasons, digest in ("\n" .. records):gmatch("\n== (%S+) (%S+) (%S+)") do
      seen = seen + 1
      assert.matches("^%x+$", digest)
      for reason in reasons:gmatch("[^,]+") do
        assert(doc:find("\n## " .. reason .. "\n", 1, true), id .. ": " .. reason)
      end
      assert(not exists(cases .. "/INDEX.tsv") or exists(cases .. "/" .. id .. "/case.yaml"), id)
    end
    assert.is_true(seen > 100)
  end)

  it("finds every deviation that handlers name in deviations.md", function()
    local doc = assert(io.open("spec/conformance/deviations.md")):read("a")
    local seen = 0
    for file in assert(io.popen("ls spec/conformance/handlers/*.lua")):lines() do
      local text = assert(io.open(file)):read("a")
      for id in text:gmatch('nil, "([%l%-]+)"') do
        if text:find('return true, nil, "' .. id, 1, true) then
          seen = seen + 1
          assert(doc:find("\n## " .. id .. "\n", 1, true), id)
        end
      end
    end
    assert.is_true(seen > 0)
  end)
end)
