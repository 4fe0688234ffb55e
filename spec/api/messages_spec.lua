-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.api.support")
local probe = require("probe_base")

describe("messages", function()
  local messages

  setup(function()
    messages = support.model("api").messages
  end)

  it("have kebab-case ids grouped by prefix", function()
    local prefixes = {
      name = true, create = true, update = true, approval = true, delete = true, resources = true,
      packages = true, selector = true, repository = true, kube = true,
    }
    for id in pairs(messages) do
      assert.matches("^[%l%d]+%-[%l%d-]+$", id)
      assert(prefixes[id:match("^%l+")], id)
    end
  end)

  it("are found by id, every one", function()
    local count = 0
    for id, text in pairs(messages) do
      assert.equal(text, probe.message(id))
      count = count + 1
    end
    assert(count > 150)
  end)

  it("become texts, errors and causes with their arguments", function()
    assert.equal('package "a" already exists in repository "b"',
      probe.text("create-package-exists", "a", "b"))
    local result, message, cause, field = probe.err("selector-unknown", "spec.foo")
    assert.equal(-2, result)
    assert.equal('"spec.foo" is not a known field selector', message)
    assert.equal('"spec.foo" is not a known field selector', cause)
    assert.equal("spec.x", field)
  end)

  -- Whole messages of the peer, spelled out: a slip in a concatenation shows here.
  it("read exactly as clients know them", function()
    local expected = {
      ["name-label"] = "a lowercase RFC 1123 label must consist of lower case alphanumeric"
        .. " characters or '-', and must start and end with an alphanumeric character (e.g."
        .. " 'my-name',  or '123-abc', regex used for validation is"
        .. " '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ["create-repository-required"] = "spec.repositoryName is required",
      ["update-stale"] = "Operation cannot be fulfilled on packagerevisions.porch.kpt.dev \"%s\":"
        .. " the object has been modified; please apply your changes to the latest version and try"
        .. " again",
      ["resources-stale"] = "Operation cannot be fulfilled on"
        .. " packagerevisionresources.porch.kpt.dev \"%s\": the object has been modified; please"
        .. " apply your changes to the latest version and try again",
      ["resources-render"] = "error rendering package in kpt function pipeline. Package NOT pushed"
        .. " to remote. Fix locally (until 'kpt fn render' succeeds) and retry. Details: %s",
      ["resources-render-pushed"] = "error rendering package in kpt function pipeline. Package"
        .. " pushed to remote despite render failure. Details: %s",
      ["repository-conflict"] = "admission webhook \"porchrepositorywebhook.nephio.org\" denied the"
        .. " request: Repository conflict with existing repository: %s/%s",
      ["approval-old-published"] = "package with Published lifecycle value can only be updated to"
        .. " 'ProposeDeletion'",
    }
    for id, text in pairs(expected) do
      assert.equal(text, messages[id])
    end
  end)

  it("stop the generator when they hold another conversion", function()
    local ok, message = pcall(support.with_generator, function()
      require("ctables").messages({ ["kube-x"] = "%5.2f" })
    end)
    assert.is_false(ok)
    assert.matches("kube%-x: only", message)
  end)
end)
