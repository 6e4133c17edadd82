package lambda

import (
	"net/http"
	"runtime"
)

// configuration is the FunctionConfiguration of the API, as far as it means something here.
func (f *function) configuration() map[string]any {
	architecture := "x86_64"
	if runtime.GOARCH == "arm64" {
		architecture = "arm64"
	}
	return map[string]any{
		"FunctionName":     f.Name,
		"FunctionArn":      f.arn,
		"Version":          version,
		"Runtime":          "provided.al2023",
		"Handler":          "bootstrap",
		"PackageType":      "Zip",
		"Architectures":    []string{architecture},
		"Timeout":          int(f.Timeout.Seconds()),
		"MemorySize":       f.MemorySize,
		"Environment":      map[string]any{"Variables": f.Environment},
		"State":            "Active",
		"LastUpdateStatus": "Successful",
	}
}

func (s *Service) list(w http.ResponseWriter) {
	configurations := []map[string]any{}
	for _, f := range s.order {
		configurations = append(configurations, f.configuration())
	}
	writeJSON(w, http.StatusOK, map[string]any{"Functions": configurations})
}

func (s *Service) describe(w http.ResponseWriter, f *function) {
	description := map[string]any{"Configuration": f.configuration()}
	if f.ReservedConcurrency != nil {
		description["Concurrency"] = map[string]int{"ReservedConcurrentExecutions": *f.ReservedConcurrency}
	}
	writeJSON(w, http.StatusOK, description)
}
