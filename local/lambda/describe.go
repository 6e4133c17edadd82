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
	if reserved := f.concurrency(); len(reserved) > 0 {
		description["Concurrency"] = reserved
	}
	writeJSON(w, http.StatusOK, description)
}

// concurrency has nothing for a function without a reservation, as Lambda does.
func (f *function) concurrency() map[string]int {
	if f.ReservedConcurrency == nil {
		return map[string]int{}
	}
	return map[string]int{"ReservedConcurrentExecutions": *f.ReservedConcurrency}
}

// accountSettings has the limits that something here goes by.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
func (s *Service) accountSettings(w http.ResponseWriter) {
	writeJSON(w, http.StatusOK, map[string]any{
		"AccountLimit": map[string]int{"ConcurrentExecutions": s.config.Concurrency, "UnreservedConcurrentExecutions": s.unclaimed},
		"AccountUsage": map[string]int{"FunctionCount": len(s.order)},
	})
}
