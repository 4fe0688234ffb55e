-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn`: functions over packages, and packages as lists of resources.

local command = require("cli.command")

return command.group("fn", "Runs functions over packages; turns packages into resource lists.",
  { "render", "eval", "source", "sink", "new", "test", "doc" })
