/* SPDX-License-Identifier: Apache-2.0
 *
 * liblanai_probed: every room below http in one shared library, so that the probe modules of one
 * Lua process work on one copy. A library needs a source of its own; the rooms are its content.
 */
int lanai_probed_marker(void);

int lanai_probed_marker(void)
{
    return 1;
}
