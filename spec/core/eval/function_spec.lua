-- SPDX-License-Identifier: Apache-2.0

local probe = require("probe_eval")

local function config(data)
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: function-input}\ndata: " .. data .. "\n"
end

local function run(text, options)
  options.keep = options.keep ~= false
  local r = assert(probe.run({ { "a.yaml", text } }, options))
  return r, r.files[1] and r.files[1][2]
end

local SERVICE = "# head\napiVersion: v1\nkind: Service\nmetadata:\n  name: s # its name\n"
  .. "  namespace: 'old' # where\nspec:\n\n  selector: {a: b}\n"

describe("images", function()
  local function resolved(image, tag, prefix)
    local r, kind, message = probe.resolve(image, tag, prefix)
    return r and ("%s %s %s"):format(r.name or "none", r.version, r.reference)
      or kind .. ": " .. message
  end
  local PREFIX = "ghcr.io/kptdev/krm-functions-catalog/"

  it("are ours with the known registries and the configured one", function()
    local want = "set-labels v0.2.0 "
    assert.equal(want .. PREFIX .. "set-labels:v0.2.0", resolved("set-labels:v0.2.0"))
    assert.equal(want .. "gcr.io/kpt-fn/set-labels:v0.2.0",
      resolved("gcr.io/kpt-fn/set-labels:v0.2.0"))
    assert.equal(want .. "reg:5000/x/set-labels:v0.2.0",
      resolved("set-labels:v0.2.0", nil, "reg:5000/x/"))
    assert.equal("none  reg/x/set-labels:v0.2.0", resolved("reg/x/set-labels:v0.2.0"))
  end)

  it("name the newest release of a line, and older patches of it as they are", function()
    local newest = resolved("set-namespace"):match("^set%-namespace (%S+)")
    assert.equal("v0.4.5", newest)
    assert.matches("^set%-namespace v0.4.5 .*:v0.4$", resolved("set-namespace:v0.4"))
    assert.matches("^set%-namespace v0.4.1 ", resolved("set-namespace:v0.4.1"))
    assert.matches("^none ", resolved("set-namespace:v0.4.6"))
    assert.matches("^none ", resolved("set-namespace:v9.9.9"))
  end)

  it("take versions and constraints from the tag field", function()
    assert.matches("^set%-namespace v0.4.5 .*:v0.4.5$", resolved("set-namespace:v1", "~0.4"))
    assert.matches("^set%-namespace v0.4.1 .*:v0.4.1$",
      resolved("set-namespace", ">=0.4.0 <0.4.2"))
    assert.matches("^set%-namespace v0.4.5 .*:0.4$", resolved("set-namespace", "0.4"))
    assert.equal('invalid: no tag could be found matching the version constraint "^1"',
      resolved("set-namespace", "^1"))
    assert.matches("must be a valid image tag", resolved("set-namespace", "-x/"))
  end)

  it("may be pinned by a digest that the peer knows", function()
    assert.matches("^set%-namespace v0.4.1 ", resolved("set-namespace@sha256:"
      .. "f930d9248001fa763799cc81cf2d89bbf83954fc65de0db20ab038a21784f323"))
    assert.matches("^none ", resolved("set-namespace@sha256:" .. ("0"):rep(64)))
  end)
end)

describe("versions", function()
  it("are ordered as semantic versions", function()
    assert.is_true(probe.compare("v0.4", "0.4.0") == 0)
    assert.is_true(probe.compare("v0.10.0", "v0.9.9") > 0)
    assert.is_true(probe.compare("v1.0.0-rc1", "v1.0.0") < 0)
    assert.is_true(probe.compare("x", "v0.0.1") < 0)
  end)
end)

describe("a built-in", function()
  it("changes what it must and leaves all other bytes", function()
    local r, text = run(SERVICE, { image = "set-namespace:v0.4.1",
      config = config("{namespace: new}") })
    assert.is_true(r.ok, r.error)
    assert.equal((SERVICE:gsub("'old'", "new")), text)
    assert.matches('namespace %[old%] updated to %S+new%S+ 1 value%(s%) changed', r.results)
  end)

  it("leaves everything as it was when it fails", function()
    local dir = os.tmpname()
    os.remove(dir)
    os.execute("mkdir -p " .. dir)
    local f = assert(io.open(dir .. "/breaks.lua", "wb"))
    f:write([[return { api = 1, name = "breaks", versions = { "v1.0.0" }, images = { "breaks" },
      summary = "Fails.", pure = true, run = function(items, _, out)
        items[1].metadata.name = "changed"
        items[2] = { kind = "X" }
        out:result({ message = "so far", severity = "error", resource = items[1] })
        return nil, "no more"
      end }]])
    f:close()
    local r, text = run(SERVICE, { image = "breaks", dirs = dir })
    os.execute("rm -rf " .. dir)
    assert.is_false(r.ok)
    assert.equal(1, r.exit_code)
    assert.equal("no more", r.error)
    assert.equal(SERVICE, text)
    assert.matches("so far", r.results)
  end)

  it("that nobody has is an error with its name", function()
    local r, text = run(SERVICE, { image = "no-such:v1" })
    assert.is_false(r.ok)
    assert.matches('krm%-functions%-catalog/no%-such:v1" not found$', r.error)
    assert.equal(SERVICE, text)
  end)

  it("is not an executable", function()
    local r = run(SERVICE, { exec = "./x.sh" })
    assert.equal("must run with `--allow-exec` option to allow running function binaries", r.error)
  end)

  it("file that breaks the contract is refused with its field", function()
    local dir = os.tmpname()
    os.remove(dir)
    os.execute("mkdir -p " .. dir)
    local f = assert(io.open(dir .. "/other.lua", "wb"))
    f:write([[return { api = 1, name = "else" }]])
    f:close()
    local list, _, message = probe.functions(dir)
    os.execute("rm -rf " .. dir)
    assert.is_nil(list)
    assert.matches("other.lua: field 'name': must be the file name", message, 1, true)
  end)
end)

describe("set-labels", function()
  it("labels resources, selectors and templates that are there", function()
    local r, text = run(SERVICE, { image = "set-labels:v0.2.0", config = config("{t: x}") })
    assert.is_true(r.ok, r.error)
    assert.matches("labels:\n    t: x\n", text, 1, true)
    assert.matches("set 2 labels in total", r.results)
  end)
end)
