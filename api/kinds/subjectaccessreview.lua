-- SPDX-License-Identifier: Apache-2.0
--
-- SubjectAccessReview: asks whether somebody may do something.

return {
  group = "authorization.k8s.io",
  version = "v1",
  kind = "SubjectAccessReview",
  resource = "subjectaccessreviews",
  singular = "subjectaccessreview",
  description = "Asks whether somebody may do something.",
  component = "io.k8s.api.authorization.v1",
  verbs = { "create" },
  flags = { "virtual" },
  fields = {
    { "spec", "authorization.SubjectAccessReviewSpec", "The question.", required = true,
      always = "{}" },
    { "status", "authorization.SubjectAccessReviewStatus", "The decision." },
  },
}
