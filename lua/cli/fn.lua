-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn`: packages as lists of resources.

local command = require("cli.command")

return command.group("fn", "Turns packages into resource lists and back.", { "source", "sink" })
