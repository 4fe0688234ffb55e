-- SPDX-License-Identifier: Apache-2.0
--
-- A proposal is turned down: a proposed revision becomes a draft again, and a revision whose
-- deletion was proposed stays published.
--
-- @api 1
-- @name reject
-- @version 1.0.0
-- @on PackageRevision/reject
-- @effects objects, publish

local BACK_TO = { Proposed = "Draft", DeletionProposed = "Published" }

return {
  api = 1,
  name = "reject",
  version = "1.0.0",
  summary = "Rejects a proposed publication or deletion.",
  on = { "PackageRevision/reject" },
  effects = { "objects", "publish" },

  run = function(ctx, req)
    local to = BACK_TO[req.old.spec.lifecycle]
    if not to then
      return ctx.fail("internal", "cannot update lifecycle for draft package revision")
    end
    ctx.apply(req.object)
    ctx.transition(req.object, to)
    return true
  end,
}
