-- SPDX-License-Identifier: Apache-2.0
--
-- The deletion of a published revision is proposed; it stays published until the deletion.
--
-- @api 1
-- @name propose-delete
-- @version 1.0.0
-- @on PackageRevision/propose-delete
-- @effects objects, publish

return {
  api = 1,
  name = "propose-delete",
  version = "1.0.0",
  summary = "Proposes the deletion of a published revision.",
  on = { "PackageRevision/propose-delete" },
  effects = { "objects", "publish" },

  run = function(ctx, req)
    ctx.apply(req.object)
    ctx.transition(req.object, "DeletionProposed")
    return true
  end,
}
