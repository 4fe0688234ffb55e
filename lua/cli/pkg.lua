-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai pkg`: packages in local directories.

local command = require("cli.command")

return command.group("pkg", "Creates, fetches, updates and shows packages in local directories.",
  { "init", "get", "update", "diff", "tree", "cat" })
