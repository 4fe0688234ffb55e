-- SPDX-License-Identifier: Apache-2.0
--
-- Structs of the authentication reviews.

return {
  component = "io.k8s.api.authentication.v1",

  UserInfo = {
    "A user as the server sees it.",
    { "username", "string", "Name." },
    { "uid", "string", "UID, if the authenticator knows one." },
    { "groups", "list of string", "Groups.", list = "atomic" },
    { "extra", "map of string lists", "Further facts." },
  },
}
