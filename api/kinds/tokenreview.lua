-- SPDX-License-Identifier: Apache-2.0
--
-- TokenReview: asks whom a token belongs to.

return {
  group = "authentication.k8s.io",
  version = "v1",
  kind = "TokenReview",
  resource = "tokenreviews",
  singular = "tokenreview",
  description = "Asks whom a token belongs to.",
  component = "io.k8s.api.authentication.v1",
  verbs = { "create" },
  flags = { "virtual" },
  fields = {
    { "spec", "object", "The question.", name = "TokenReviewSpec", required = true, always = "{}",
      fields = {
        { "token", "string", "The token." },
        { "audiences", "list of string", "Audiences that the token should be for.",
          list = "atomic" },
      } },
    { "status", "object", "The answer.", name = "TokenReviewStatus", always = "{\"user\":{}}",
      fields = {
        { "authenticated", "boolean", "True when the token is valid." },
        { "user", "authentication.UserInfo", "Whom it belongs to.", always = "{}" },
        { "audiences", "list of string", "Audiences that the token is for.", list = "atomic" },
        { "error", "string", "Why the token was not accepted." },
      } },
  },
}
