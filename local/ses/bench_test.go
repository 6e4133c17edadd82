package ses_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanmail/local/ses"
)

// BenchmarkAccept measures the service in process, without the network: messages per second on all cores.
func BenchmarkAccept(b *testing.B) {
	service, err := ses.New(ses.Config{Directory: b.TempDir(), MaxSendRate: 1e9, Max24HourSend: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer service.Close()
	data := func(s string) map[string]string { return map[string]string{"Data": s, "Charset": "UTF-8"} }
	body, err := json.Marshal(map[string]any{
		"FromEmailAddress": "shop@example.com",
		"Destination":      map[string]any{"ToAddresses": []string{"anna@example.org"}},
		"Content": map[string]any{"Simple": map[string]any{
			"Subject": data("Spring sale"),
			"Body":    map[string]any{"Html": data(strings.Repeat("<p>Hello</p>", 200)), "Text": data(strings.Repeat("Hello ", 100))},
		}},
		"EmailTags": []map[string]string{{"Name": "campaign", "Value": "spring-sale"}, {"Name": "seq", "Value": "1"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w := httptest.NewRecorder()
			service.ServeHTTP(w, httptest.NewRequest("POST", "/v2/email/outbound-emails", bytes.NewReader(body)))
			if w.Code != http.StatusOK {
				b.Fatal(w.Body)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkSendEmail measures the way through the SDK client and a connection on the loopback interface.
func BenchmarkSendEmail(b *testing.B) {
	a := start(b, ses.Config{MaxSendRate: 1e9, Max24HourSend: -1})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := a.client.SendEmail(b.Context(), email("anna@example.org")); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkSendEmailWithEvents is BenchmarkSendEmail with a configuration set and a target that costs nothing.
func BenchmarkSendEmailWithEvents(b *testing.B) {
	a := start(b, ses.Config{MaxSendRate: 1e9, Max24HourSend: -1, Publish: func([]ses.Published) error { return nil }})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := a.client.SendEmail(b.Context(), tracked("anna@example.org")); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
