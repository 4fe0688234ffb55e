-- SPDX-License-Identifier: Apache-2.0
--
-- LocalSubjectAccessReview: asks whether somebody may do something in a namespace.

return {
  group = "authorization.k8s.io",
  version = "v1",
  kind = "LocalSubjectAccessReview",
  resource = "localsubjectaccessreviews",
  singular = "localsubjectaccessreview",
  description = "Asks whether somebody may do something in a namespace.",
  component = "io.k8s.api.authorization.v1",
  verbs = { "create" },
  flags = { "namespaced", "virtual" },
  fields = {
    { "spec", "authorization.SubjectAccessReviewSpec", "The question.", required = true,
      always = "{}" },
    { "status", "authorization.SubjectAccessReviewStatus", "The decision." },
  },
}
