-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local function pod(image, kind, where)
  return ("apiVersion: v1\nkind: %s\nmetadata:\n  name: p\nspec:\n  %s:\n  - name: c\n"
    .. "    image: %s\n"):format(kind or "Pod", where or "containers", image)
end

local function run(text, data, version)
  return functions.run("set-image", { ["a.yaml"] = text },
    "apiVersion: v1\nkind: ConfigMap\ndata:" .. data, { version = version })
end

describe("set-image", function()
  it("changes name, tag and digest", function()
    for _, case in ipairs({
      { "nginx:1", "newTag: 2", "nginx:2" },
      { "nginx", "newTag: 2", "nginx:2" },
      { "nginx:1", "newName: a/b", "a/b:1" },
      { "nginx@sha256:abc", "newName: a/b", "a/b@sha256:abc" },
      { "nginx:1", "digest: sha256:d", "nginx@sha256:d" },
      { "nginx:1", "newTag: 2\n  digest: sha256:d", "nginx@sha256:d" },
      { "nginx-debug:1", "newTag: 2", "nginx-debug:1" },
      { "my/nginx:1", "newTag: 2", "my/nginx:1" },
      { "nginx:1@sha256:abc", "newTag: 2", "nginx:1@sha256:abc" },
    }) do
      local got = run(pod(case[1]), "\n  name: nginx\n  " .. case[2] .. "\n")
      assert.equal(pod(case[3]), got.files["a.yaml"])
    end
  end)

  it("takes the characters of a name as they are", function()
    local got = run(pod("aXb:1"), "\n  name: a.b\n  newTag: '2'\n")
    assert.equal(pod("aXb:1"), got.files["a.yaml"])
  end)

  it("leaves init containers alone from v0.1.2 on", function()
    local text = pod("nginx:1", "Pod", "initContainers")
    local got = run(text, "\n  name: nginx\n  newTag: '2'\n")
    assert.equal(text, got.files["a.yaml"])
    assert.equal("summary: updated a total of 0 image(s)", got.results[1].message)
    got = run(text, "\n  name: nginx\n  newTag: '2'\n", "v0.1.1")
    assert.equal(pod("nginx:2", "Pod", "initContainers"), got.files["a.yaml"])
    assert.same({ path = "spec.initContainers.image", currentValue = "nginx:1",
      proposedValue = "nginx:2" }, got.results[1].field)
  end)

  it("says what is missing, as each version does", function()
    local got = run(pod("a"), "\n  newTag: x\n")
    assert.is_false(got.ok)
    assert.equal("failed to evaluate function: function is terminated: must specify `name`",
      got.error)
    assert.same({ "must specify `name`", "function is terminated: must specify `name`" },
      { got.results[1].message, got.results[2].message })
    assert.equal("missing image name", run(pod("a"), "\n  newTag: x\n", "v0.1.1").error)
    assert.equal("must specify one of `newName`, `newTag`, or `digest`",
      run(pod("a"), "\n  name: x\n").results[1].message)
    assert.equal("ConfigMap has wrong field name tag",
      run(pod("a"), "\n  name: x\n  tag: y\n").results[1].message)
  end)
end)
