package main

import "runtime/debug"

// version is the commit that the program was built from, or (devel) where Go did not record it.
func version(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "(devel)"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	switch {
	case settings["vcs.revision"] == "":
		return "(devel)"
	case settings["vcs.modified"] == "true":
		return settings["vcs.revision"] + ", modified"
	}
	return settings["vcs.revision"]
}
