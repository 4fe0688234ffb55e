-- Runs before every spec: finds the build directory (LANAI_BUILD, default build) for the probe
-- modules and the program.
local build = os.getenv("LANAI_BUILD") or "build"
package.cpath = build .. "/probe/?.so;" .. package.cpath
