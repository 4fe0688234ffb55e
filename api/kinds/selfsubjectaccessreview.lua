-- SPDX-License-Identifier: Apache-2.0
--
-- SelfSubjectAccessReview: asks whether the caller may do something.

return {
  group = "authorization.k8s.io",
  version = "v1",
  kind = "SelfSubjectAccessReview",
  resource = "selfsubjectaccessreviews",
  singular = "selfsubjectaccessreview",
  description = "Asks whether the caller may do something.",
  component = "io.k8s.api.authorization.v1",
  verbs = { "create" },
  flags = { "virtual" },
  fields = {
    { "spec", "object", "The question.", name = "SelfSubjectAccessReviewSpec", required = true,
      always = "{}",
      fields = {
        { "resourceAttributes", "authorization.ResourceAttributes", "A request for a resource." },
        { "nonResourceAttributes", "authorization.NonResourceAttributes",
          "A request for a path." },
      } },
    { "status", "authorization.SubjectAccessReviewStatus", "The decision." },
  },
}
