-- SPDX-License-Identifier: Apache-2.0
--
-- Lease: lets clients elect a leader.

return {
  group = "coordination.k8s.io",
  version = "v1",
  kind = "Lease",
  resource = "leases",
  singular = "lease",
  description = "A claim that its holder must renew.",
  component = "io.k8s.api.coordination.v1",
  verbs = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" },
  flags = { "namespaced" },
  columns = {
    { "Name", "string", ".metadata.name", format = "name" },
    { "Holder", "string", ".spec.holderIdentity", missing = '""' },
    { "Age", "string", "age" },
  },
  fields = {
    { "spec", "object", "The claim.", name = "LeaseSpec", always = "{}", fields = {
      { "holderIdentity", "string", "Who holds the lease." },
      { "leaseDurationSeconds", "integer", "Seconds that others wait after the last renewal.",
        format = "int32" },
      { "acquireTime", "time", "When the holder got the lease." },
      { "renewTime", "time", "When the holder last renewed it." },
      { "leaseTransitions", "integer", "How often the holder changed.", format = "int32" },
      { "strategy", "string", "How the holder is chosen." },
      { "preferredHolder", "string", "Who should take over." },
    } },
  },
}
