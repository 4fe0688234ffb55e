-- SPDX-License-Identifier: Apache-2.0
--
-- SelfSubjectReview: asks who the caller is.

return {
  group = "authentication.k8s.io",
  version = "v1",
  kind = "SelfSubjectReview",
  resource = "selfsubjectreviews",
  singular = "selfsubjectreview",
  description = "Asks who the caller is.",
  component = "io.k8s.api.authentication.v1",
  verbs = { "create" },
  flags = { "virtual" },
  aliases = { "v1beta1" },
  fields = {
    { "status", "object", "The answer.", name = "SelfSubjectReviewStatus", always = "{}",
      fields = {
        { "userInfo", "authentication.UserInfo", "The caller.", always = "{}" },
      } },
  },
}
