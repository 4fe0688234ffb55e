-- SPDX-License-Identifier: Apache-2.0
--
-- An update that leaves the lifecycle as it is: labels and annotations of the object, and for a
-- draft the fields that live in its Kptfile.
--
-- @api 1
-- @name update
-- @version 1.0.0
-- @on PackageRevision/update
-- @effects read, draft, objects

local revision = require("lanai.revision")

return {
  api = 1,
  name = "update",
  version = "1.0.0",
  summary = "Updates metadata, and the Kptfile of a draft.",
  on = { "PackageRevision/update" },
  effects = { "read", "draft", "objects" },

  check = function(ctx, req)
    return revision.check_conditions(ctx, req.object)
  end,

  run = function(ctx, req)
    return revision.update(ctx, req)
  end,
}
