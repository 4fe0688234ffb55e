-- SPDX-License-Identifier: Apache-2.0
--
-- Error texts that clients match, by id. Conversions are %s (string) and %d (integer); a quoted
-- value is written "%s" and the caller passes it as it is. Texts that become part of a longer one
-- (after `field: `, or `Internal error occurred: `) stand without that frame: the frames are the
-- kube-frame-… and kube-field-… entries.

local LABEL = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or"
  .. " '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc',"
  .. " regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
local SUBDOMAIN = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric"
  .. " characters, '-' or '.', and must start and end with an alphanumeric character (e.g."
  .. " 'example.com', regex used for validation is"
  .. " '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
local QUALIFIED = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end"
  .. " with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
  .. " validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
local LABEL_VALUE = "a valid label must be an empty string or consist of alphanumeric characters,"
  .. " '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or"
  .. " 'my_value',  or '12345', regex used for validation is"
  .. " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
local MODIFIED = "the object has been modified; please apply your changes to the latest version and"
  .. " try again"
local RENDER = "%s rendering package in kpt function pipeline. Package "
local NOT_PUSHED = "NOT pushed to remote. Fix locally (until 'kpt fn render' succeeds) and retry."
  .. " Details: %s"

return {
  -- Names of package revisions and packages (repository, path, package, workspace, whole name).
  ["name-revision-head"] = "package revision kubernetes resource name invalid:\n",
  ["name-package-head"] = "package kubernetes resource name invalid:\n",
  ["name-repository"] = 'repository part "%s" of object name invalid\n'
    .. "repository name %s invalid: %s\n",
  ["name-path"] = 'package path part "%s" of object name invalid\npath %s invalid: %s\n',
  ["name-package"] = 'package name part "%s" of object name invalid\npackage name %s invalid: %s\n',
  ["name-workspace"] = 'workspace name part "%s" of package revision name invalid\n'
    .. "workspace name %s invalid: %s\n",
  ["name-whole"] = 'package revision kubernetes name "%s" invalid\n'
    .. "package revision kubernetes name %s invalid: %s\n",
  ["name-whole-package"] = 'package kubernetes name "%s" invalid\n'
    .. "package kubernetes name %s invalid: %s\n",
  ["name-part-empty"] = "must be non-empty",
  ["name-too-long"] = "must be no more than %d characters",
  ["name-label"] = LABEL,
  ["name-subdomain"] = SUBDOMAIN,
  ["name-qualified"] = "name part " .. QUALIFIED,
  ["name-qualified-key"] = "a qualified name " .. QUALIFIED
    .. " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
  ["name-label-value"] = LABEL_VALUE,
  ["name-slashes"] = "consecutive '/' characters are not allowed",
  ["name-dots"] = "must not contain dots",
  ["name-branch"] = 'error cloning git repository %s, branch name "%s" invalid: %s',
  ["name-path-segment-dot"] = "may not be '%s'",
  ["name-path-segment-byte"] = "may not contain '%s'",

  -- POST packagerevisions.
  ["create-repository-required"] = "spec.repositoryName is required",
  ["create-repository-error"] = "error getting repository %s/%s: %s",
  ["create-v1alpha2"] = 'repository "%s" is managed by v1alpha2; use the v1alpha2 API',
  ["create-latest-label"] = "label is managed by porch and cannot be set by users",
  ["create-lifecycle"] = "value can be only created as Draft",
  ["create-parent"] = 'cannot get parent package "%s": %s',
  ["create-busy"] = 'Operation cannot be fulfilled on packagerevisions.porch.kpt.dev'
    .. ' "(new creation)": another request is already in progress to create package revision with'
    .. ' details namespace="%s", repository="%s", package="%s",workspace="%s"',
  ["create-many-tasks"] = "task list must not contain more than one task",
  ["create-init-description"] = "%s description",
  ["create-names"] = "failed to create packagerevision: %s",
  ["create-workspace-taken"] = "package revision workspaceNames must be unique; package revision"
    .. " with name %s in repo %s with workspaceName %s already exists",
  ["create-clone-exists"] = '`clone` cannot create a new revision for package "%s" that already'
    .. ' exists in repo "%s"; make subsequent revisions using `copy`',
  ["create-package-exists"] = 'package "%s" already exists in repository "%s"',
  ["create-nested"] = 'package path "%s" conflicts with existing package "%s": packages cannot be'
    .. " nested",
  ["create-upgrade-published"] = "all source PackageRevisions of upgrade task must be published,"
    .. ' "%s" is not',
  ["create-close"] = "failed to close package revision draft: %s",
  ["create-kptfile-missing"] = 'failed to parse Kptfile: file "Kptfile" is missing from the'
    .. " package",

  -- Creation tasks.
  ["create-task-unknown"] = 'task of type "%s" not supported',
  ["create-task-unset"] = '%s not set for task of type "%s"',
  ["create-task-upgrade-unset"] = 'upgrade field not set for task of type "upgrade"',
  ["create-clone-name"] = "upstreamRef.name is required",
  ["create-clone-fetch"] = 'failed to fetch package revision "%s": %s',
  ["create-clone-placeholder"] = "upstream revision may not be the placeholder package revision"
    .. " %s/%s",
  ["create-clone-git"] = "cannot clone Git repository: %s",
  ["create-clone-package"] = "cannot find package %s@%s:: %s",
  ["create-clone-reference"] = "cannot find git reference (tried [%s])",
  ["create-clone-oci"] = "clone from OCI is not implemented",
  ["create-clone-nothing"] = "invalid clone source (neither of git, oci, nor upstream were"
    .. " specified)",
  ["create-revision-missing"] = 'cannot find package revision "%s"',
  ["create-repository-missing"] = "cannot find repository %s:%s::: "
    .. 'Repository.config.porch.kpt.dev "%s" not found',
  ["create-edit-fetch"] = 'failed to fetch package "%s": %s',
  ["create-edit-read"] = 'cannot read contents of package "%s": %s',
  ["create-edit-package"] = "source revision must be from same package %s/%s",
  ["create-edit-placeholder"] = "source revision may not be the placeholder package revision %s/%s",
  ["create-edit-published"] = "source revision must be published",
  ["create-upgrade-old"] = 'error fetching the resources for package "%s" with ref {Name:%s}: %s',
  ["create-upgrade-new"] = 'error fetching revision for target upstream "%s": %s',
  ["create-upgrade-new-placeholder"] = "target upstream revision may not be the placeholder package"
    .. " revision %s/%s",
  ["create-upgrade-local"] = 'error fetching revision "%s" to be upgraded: %s',
  ["create-upgrade-local-placeholder"] = "source revision may not be the placeholder package"
    .. " revision %s/%s",
  ["create-upgrade-merge"] = 'error updating the package "%s" to revision "%s": %s',

  -- PUT and PATCH packagerevisions.
  ["update-busy"] = 'Operation cannot be fulfilled on packagerevisions.porch.kpt.dev "%s": another'
    .. ' request is already in progress on package revision "%s/%s"',
  ["update-version-required"] = "resourceVersion must be specified for an update",
  ["update-stale"] = 'Operation cannot be fulfilled on packagerevisions.porch.kpt.dev "%s": '
    .. MODIFIED,
  ["update-latest-label"] = "label is managed by porch and cannot be modified by users",
  ["update-lifecycle-unknown"] = "value can be only updated to"
    .. " Draft,Proposed,Published,DeletionProposed",
  ["update-lifecycle-draft"] = "value can be only updated to Draft,Proposed",
  ["update-published-spec"] = "spec can only update package with lifecycle value one of"
    .. " Draft,Proposed",
  ["update-old-lifecycle-unknown"] = "can only update package with lifecycle value one of"
    .. " Draft,Proposed,Published,DeletionProposed",
  ["update-owner-blocked"] = "failed to update internal PackageRev object, because"
    .. " blockOwnerDeletion is enabled for some ownerReference (it is likely that the"
    .. " serviceaccount of porch-server does not have the rights to update finalizers in the owner"
    .. " object): %s",

  -- PUT and PATCH packagerevisions/approval.
  ["approval-old-published"] = "package with Published lifecycle value can only be updated to"
    .. " 'ProposeDeletion'",
  ["approval-old-deletion-proposed"] = "package with DeletionProposed lifecycle value can only be"
    .. " updated to 'Published'",
  ["approval-old-draft"] = "cannot approve package with Draft lifecycle value; only Proposed"
    .. " packages can be approved",
  ["approval-new-deletion-proposed"] = "cannot update lifecycle DeletionProposed; only Published"
    .. " packages require approval for deletion",
  ["approval-new-other"] = "value for approval can be only one of Draft,Published",

  -- DELETE packagerevisions; the texts follow `… is forbidden: `.
  ["delete-published"] = "published PackageRevisions must be proposed for deletion by setting"
    .. " spec.lifecycle to 'DeletionProposed' prior to deletion",
  ["delete-upstream"] = "cannot delete package revision, it is referenced as upstream by: %s",

  -- packagerevisionresources and rendering.
  ["resources-busy"] = 'Operation cannot be fulfilled on packagerevisionresources.porch.kpt.dev'
    .. ' "%s": another request is already in progress on package revision resources "%s/%s"',
  ["resources-stale"] = 'Operation cannot be fulfilled on packagerevisionresources.porch.kpt.dev'
    .. ' "%s": ' .. MODIFIED,
  ["resources-not-draft"] = 'cannot update a package revision with lifecycle value "%s"; package'
    .. " must be Draft",
  ["resources-heal"] = "failed to heal resources: %s",
  ["resources-kptfile"] = "package must contain Kptfile at root: file does not exist",
  ["resources-render-update"] = RENDER:format("Error") .. NOT_PUSHED,
  ["resources-render"] = RENDER:format("error") .. NOT_PUSHED,
  ["resources-render-pushed"] = RENDER:format("error") .. "pushed to remote despite render failure."
    .. " Details: %s",
  ["resources-persist"] = "failed to persist resources after render failure: %s: %s",
  ["resources-push"] = "failed to push package to remote: %s; render error: %s",

  -- packages: verbs that are refused; they stand where kube-method-not-allowed has the verb.
  ["packages-create"] = "create or clone a PackageRevision resource to create a package as direct"
    .. " package creation is not supported on resources of kind \"packages.porch.kpt.dev\"",
  ["packages-update"] = "update a PackageRevision resource to update a package as direct package"
    .. " update is not supported on resources of kind \"packages.porch.kpt.dev\"",
  ["packages-delete"] = "delete all PackageRevisions resources of a package to delete a package as"
    .. " direct package deletion is not supported on resources of kind \"packages.porch.kpt.dev\"",

  -- Field selectors.
  ["selector-unknown"] = '"%s" is not a known field selector',
  ["selector-unknown-only-metadata"] = '"%s" is not a known field selector: only "metadata.name",'
    .. ' "metadata.namespace"',
  ["selector-unknown-crd"] = "field label not supported: %s",
  ["selector-label-key"] = 'label key cannot be empty in field selector "%s"',
  ["selector-operator"] = 'unsupported fieldSelector operator "%s" for field "%s"',
  ["selector-empty"] = 'unsupported fieldSelector value "%s" for field "%s" with operator "%s"',
  ["selector-value"] = 'unsupported fieldSelector value "%s" for field "%s"',
  ["selector-namespaces"] = 'conflicting namespaces specified: "%s" and "%s"',
  ["selector-malformed"] = "invalid selector: '%s'; can't understand '%s'",
  ["selector-label"] = "unable to parse requirement: %s",

  -- Repositories.
  ["repository-name-label"] = "metadata.name must conform to the RFC1123 DNS label standard",
  ["repository-name-long"] = "metadata.name must be no more than 63 characters",
  ["repository-conflict"] = 'admission webhook "porchrepositorywebhook.nephio.org" denied the'
    .. " request: Repository conflict with existing repository: %s/%s",
  ["repository-not-found"] = 'repositories.config.porch.kpt.dev "%s" not found',
  ["repository-ready"] = "Repository Ready",
  ["repository-ready-reason"] = "Ready",
  ["repository-reconciling"] = "Repository reconciliation in progress",
  ["repository-reconciling-reason"] = "Reconciling",
  ["repository-error-reason"] = "Error",
  ["repository-error-unknown"] = "unknown error",
  ["repository-busy"] = "sync start failed because sync is already in progress",
  ["repository-capacity"] = "sync capacity exceeded, retrying after 30s",
  ["repository-type"] = 'repository type "%s" not supported',
  ["repository-type-health"] = 'unsupported repository type: "%s"',
  ["repository-branch"] = 'branch "%s" not found in repository',
  ["repository-remote"] = "failed to list remote refs: %s",
  ["repository-remote-authenticated"] = "failed to list remote refs with authentication: %s",
  ["repository-credentials"] = "failed to resolve credentials: %s",
  ["repository-credentials-invalid"] = "resolved credentials are invalid",
  ["repository-secret"] = "cannot resolve credentials in a secret %s/%s: %s",
  ["repository-secret-read"] = "failed to obtain credential from secret %s/%s: %s",
  ["repository-secret-resolve"] = "error resolving credential: %s",
  ["repository-secret-git"] = "failed to obtain git credentials: %s",
  ["repository-secret-type"] = "no resolver for secret with type %s",
  ["repository-secret-bearer-type"] = "bearer Token secret.Type value must be Opaque",
  ["repository-secret-bearer-key"] = "bearer Token secret.Data key must be set as bearerToken",

  -- Frames of Status messages.
  ["kube-frame-internal"] = "Internal error occurred: %s",
  ["kube-frame-invalid"] = '%s "%s" is invalid: %s',
  ["kube-frame-forbidden"] = '%s "%s" is forbidden: %s',
  ["kube-frame-conflict"] = 'Operation cannot be fulfilled on %s "%s": %s',

  -- Field problems, as in details.causes[].message.
  ["kube-field-required"] = "Required value",
  ["kube-field-required-detail"] = "Required value: %s",
  ["kube-field-invalid"] = "Invalid value: %s: %s",
  ["kube-field-unsupported"] = 'Unsupported value: %s: supported values: %s',
  ["kube-field-forbidden"] = "Forbidden: %s",
  ["kube-field-duplicate"] = "Duplicate value: %s",
  ["kube-field-not-found"] = "Not found: %s",
  ["kube-field-too-long"] = "Too long: may not be more than %d bytes",
  ["kube-field-too-many"] = "Too many: %d: must have at most %d items",
  ["kube-field-type"] = "%s in body must be of type %s: %s",
  ["kube-field-short"] = "%s in body should be at least %d chars long",
  ["kube-field-long"] = "%s in body should be at most %d chars long",
  ["kube-field-pattern"] = "%s in body should match '%s'",
  ["kube-field-negative"] = "%s in body should be greater than or equal to 0",
  ["kube-field-immutable"] = "field is immutable",
  ["kube-field-unchecked"] = "some validation rules were not checked because the object was"
    .. " invalid; correct the existing errors to complete validation",

  -- Requests: paths, parameters, content.
  ["kube-path-not-found"] = "404 page not found\n",
  ["kube-resource-not-found"] = "the server could not find the requested resource",
  ["kube-method-not-allowed"] = '%s is not supported on resources of kind "%s"',
  ["kube-method-not-allowed-path"] = "the server does not allow this method on the requested"
    .. " resource",
  ["kube-dry-run"] = 'Unsupported value: ["%s"]: supported values: "All"',
  ["kube-field-validation"] = 'Unsupported value: "%s": supported values: "", "Ignore", "Strict",'
    .. ' "Warn"',
  ["kube-force"] = "Forbidden: may not be specified for non-apply patch",
  ["kube-field-manager-required"] = "Required value: is required for apply patch",
  ["kube-field-manager-byte"] = "invalid character U+%s (at position %d)",
  ["kube-integer"] = 'strconv.ParseInt: parsing "%s": invalid syntax',
  ["kube-timeout"] = "Timeout: request did not complete within requested timeout - context deadline"
    .. " exceeded",
  ["kube-timeout-parameter"] = 'invalid timeout specified in the request URL - time: invalid'
    .. ' duration "%s"',
  ["kube-not-acceptable"] = "only the following media types are accepted: application/json,"
    .. " application/yaml, application/vnd.kubernetes.protobuf",
  ["kube-not-acceptable-path"] = "406: Not Acceptable\n\nAvailable representations: %s",
  ["kube-representations"] = "application/json, application/yaml,"
    .. " application/vnd.kubernetes.protobuf",
  ["kube-representations-list"] = "application/json, application/yaml,"
    .. " application/vnd.kubernetes.protobuf, application/json;stream=watch,"
    .. " application/vnd.kubernetes.protobuf;stream=watch",
  ["kube-no-table"] = "%s does not support Table format",
  ["kube-partial-of-list"] = "you requested PartialObjectMetadata, but the requested object is a"
    .. " list (%s)",
  ["kube-partial-list-of-object"] = "you requested PartialObjectMetadataList, but the requested"
    .. " object is not a list (%s)",
  ["kube-include-object"] = 'Unable to convert to Table as requested: includeObject: Invalid'
    .. ' value: "%s": must be \'Metadata\', \'Object\', \'None\', or empty',
  ["kube-unsupported-media"] = "the body of the request was in an unknown format - accepted media"
    .. " types include: %s",
  ["kube-unsupported-media-path"] = "415: Unsupported Media Type",
  ["kube-media-objects"] = "application/json, application/yaml,"
    .. " application/vnd.kubernetes.protobuf",
  ["kube-media-patches"] = "application/json-patch+json, application/merge-patch+json,"
    .. " application/strategic-merge-patch+json, application/apply-patch+yaml",
  ["kube-too-large"] = "Request entity too large: limit is %d",
  ["kube-api-version"] = "the API version in the data (%s) does not match the expected API version"
    .. " (%s)",
  ["kube-kind-required"] = "Object 'Kind' is missing in '%s'",
  ["kube-unrecognized"] = "the object provided is unrecognized (must be of type %s): %s (%s)",
  ["kube-kind"] = "must be %s",
  ["kube-delete-options"] = "couldn't get version/kind; json parse error: the body is not"
    .. " an object",
  ["kube-grace-type"] = "json: cannot unmarshal into Go struct field"
    .. " DeleteOptions.gracePeriodSeconds of type int64",
  ["kube-kind-other"] = '%s in version "%s" cannot be handled as a %s: converting (%s.%s) to'
    .. ' (%s.%s): unknown conversion',
  ["kube-kind-unknown"] = '%s in version "%s" cannot be handled as a %s: no kind "%s" is registered'
    .. ' for version "%s" in scheme "pkg/runtime/scheme.go:110"',
  ["kube-strict"] = '%s in version "%s" cannot be handled as a %s: strict decoding error: %s',
  ["kube-strict-unknown"] = 'unknown field "%s"',
  ["kube-strict-duplicate"] = 'duplicate field "%s"',

  -- Object metadata and the write path.
  ["kube-name-required"] = "Required value: name or generateName is required",
  ["kube-name-url"] = "the name of the object (%s) does not match the name on the URL (%s)",
  ["kube-name-undetermined"] = "the name of the object (%s based on URL) was undeterminable: name"
    .. " must be provided",
  ["kube-name-empty"] = "name must be provided",
  ["kube-namespace"] = "the namespace of the provided object does not match the namespace sent on"
    .. " the request",
  ["kube-namespace-missing"] = 'namespaces "%s" not found',
  ["kube-namespace-terminating"] = "unable to create new content in namespace %s because it is"
    .. " being terminated",
  ["kube-version-required"] = "must be specified for an update",
  ["kube-modified"] = MODIFIED,
  ["kube-not-found"] = '%s "%s" not found',
  ["kube-already-exists"] = '%s "%s" already exists',
  ["kube-finalizers"] = "no new finalizers can be added if the object is being deleted",
  ["kube-owners-doubled"] = ".metadata.ownerReferences contains duplicate entries; API server"
    .. " dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your"
    .. " requests; duplicate UID(s) observed: %s",
  ["kube-uid"] = "the UID in the precondition (%s) does not match the UID in record (%s). The"
    .. " object might have been deleted and then recreated",
  ["kube-precondition-version"] = "the ResourceVersion in the precondition (%s) does not match the"
    .. " ResourceVersion in record (%s). The object might have been modified",
  ["kube-propagation-policy"] = 'Unsupported value: "%s": supported values: "Foreground",'
    .. ' "Background", "Orphan", "nil"',
  ["kube-propagation-both"] = 'Invalid value: "%s": orphanDependents and deletionPropagation cannot'
    .. " be both set",

  -- Patches.
  ["kube-patch-decode"] = "error decoding patch: %s",
  ["kube-patch-failed"] = "the server rejected our request due to an error in our request",
  ["kube-apply-decode"] = "error decoding YAML: error converting YAML to JSON: %s",
  ["kube-apply-not-map"] = "error decoding YAML: error unmarshaling JSON: while decoding JSON:"
    .. " json: cannot unmarshal array into Go value of type map[string]interface {}",
  ["kube-apply-kind"] = "invalid object type: %s%s, Kind=%s",
  ["kube-apply-managed"] = "metadata.managedFields must be nil",
  ["kube-apply-typed"] = "failed to create typed patch object (%s/%s; %s, Kind=%s): %s",
  ["kube-apply-undeclared"] = "%s: field not declared in schema",
  ["kube-apply-uid"] = "uid mismatch: the provided object specified uid %s, and no existing object"
    .. " was found",
  ["kube-apply-conflict"] = "Apply failed with 1 conflict: %s: %s",
  ["kube-apply-conflicts"] = "Apply failed with %d conflicts: %s",
  ["kube-apply-conflict-with"] = 'conflict with "%s"',
  ["kube-apply-conflict-using"] = 'conflict with "%s" using %s',

  -- Lists and watches.
  ["kube-list-too-new"] = "Timeout: Too large resource version: %s, current: %s",
  ["kube-list-too-new-cause"] = "Too large resource version",
  ["kube-list-version"] = 'invalid resource version: resourceVersion: Invalid value: "%s":'
    .. ' strconv.ParseUint: parsing "%s": invalid syntax',
  ["kube-list-match-alone"] = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion"
    .. " is provided",
  ["kube-list-match-continue"] = "Forbidden: resourceVersionMatch is forbidden when continue is"
    .. " provided",
  ["kube-list-match-exact-zero"] = 'Forbidden: resourceVersionMatch "Exact" is forbidden for'
    .. ' resourceVersion "0"',
  ["kube-list-match-unknown"] = 'Unsupported value: "%s": supported values: "Exact",'
    .. ' "NotOlderThan", ""',
  ["kube-list-initial-events"] = "Forbidden: sendInitialEvents is forbidden for list",
  ["kube-list-continue"] = "invalid continue token: %s",
  ["kube-list-continue-old"] = "The provided continue parameter is too old to display a consistent"
    .. " list result. You can start a new list without the continue parameter, or use the continue"
    .. " token in this response to retrieve the remainder of the results. Continuing with the"
    .. " provided token results in an inconsistent list - objects that were created, modified, or"
    .. " deleted between the time the first chunk was returned and now may show up in the list.",
  ["kube-list-expired"] = "The resourceVersion for the provided list is too old.",
  ["kube-watch-too-old"] = "too old resource version: %s (%s)",
  ["kube-watch-match"] = "Forbidden: resourceVersionMatch is forbidden for watch unless"
    .. " sendInitialEvents is provided",
  ["kube-watch-initial-events"] = "Forbidden: sendInitialEvents requires setting"
    .. " resourceVersionMatch to NotOlderThan",

  -- Access.
  ["kube-unauthorized"] = "Unauthorized",
  ["kube-forbidden"] = '%s is forbidden: User "%s" cannot %s resource "%s" in API group "%s" in the'
    .. ' namespace "%s"',
  ["kube-forbidden-cluster"] = '%s is forbidden: User "%s" cannot %s resource "%s" in API group'
    .. ' "%s" at the cluster scope',
  ["kube-forbidden-path"] = 'forbidden: User "%s" cannot %s path "%s"',
  ["kube-server-timeout"] = "The %s operation against %s could not be completed at this time,"
    .. " please try again.",
  ["kube-panic"] = "This request caused apiserver to panic. Look in the logs for details.",
}
